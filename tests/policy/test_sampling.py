"""Which traces are recorded, for each sampler that OpenTelemetry names."""

import random

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from gateway.policy.sampling import SAMPLERS, Sampling, sampling

TRACE = "0af7651916cd43dd8448eb211c80319c"
FIRST, LAST = "f" * 16 + "0" * 16, "0" * 16 + "f" * 16


def test_without_a_word_every_trace_that_begins_here_is_recorded_and_parents_are_followed() -> None:
    assert sampling("", "") == Sampling(1.0, follows_parent=True)


@pytest.mark.parametrize(
    ("sampler", "begins_here", "parent_in", "parent_out"),
    [
        ("always_on", True, True, True),
        ("always_off", False, False, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
        ("traceidratio", True, True, True),
        ("parentbased_traceidratio", True, True, False),
        ("Parentbased_Always_On ", True, True, False),
    ],
)
def test_a_sampler_decides(sampler: str, begins_here: bool, parent_in: bool, parent_out: bool) -> None:
    rule = sampling(sampler, "")
    decided = [rule.samples(TRACE, parent) for parent in (None, True, False)]
    assert decided == [begins_here, parent_in, parent_out]


def test_a_share_of_nothing_and_of_everything_are_exact() -> None:
    none, all_ = sampling("traceidratio", "0"), sampling("traceidratio", "1")
    assert [none.samples(trace, None) for trace in (FIRST, LAST)] == [False, False]
    assert [all_.samples(trace, None) for trace in (FIRST, LAST)] == [True, True]


@pytest.mark.parametrize("share", [0.001, 0.1, 1 / 3, 0.5, 0.999])
def test_a_share_decides_of_every_trace_as_opentelemetry_does(share: float) -> None:
    chance, rule = random.Random(8), sampling("traceidratio", str(share))
    theirs = TraceIdRatioBased(share)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(2000)]
    ours = [rule.samples(trace, None) for trace in ids]
    decisions = [theirs.should_sample(None, int(trace, 16), "").decision for trace in ids]
    assert ours == [decision is Decision.RECORD_AND_SAMPLE for decision in decisions]
    assert abs(sum(ours) / len(ids) - share) < 0.05


@pytest.mark.parametrize("argument", ["ten", "-0.1", "1.5", "nan", "inf"])
def test_what_is_no_share_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="OTEL_TRACES_SAMPLER_ARG"):
        sampling("traceidratio", argument)


def test_an_unknown_sampler_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"OTEL_TRACES_SAMPLER: 'jaeger_remote' is none of") as caught:
        sampling("jaeger_remote", "")
    assert all(name in str(caught.value) for name in SAMPLERS)
