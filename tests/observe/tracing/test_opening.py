"""What OpenTelemetry's variables mean here, and which of them cannot be done."""

import sys

import msgspec
import pytest

from gateway.observe.tracing.delivery import Figures
from gateway.observe.tracing.opening import TracingMeans, open_tracer, unusable
from gateway.observe.tracing.spans import Spans
from gateway.records import CallRecord, CallTrace

MEANS = TracingMeans(mask=lambda data: data, wall_clock=lambda: 0.0, random_bytes=lambda size: b"\x01" * size)


def test_without_a_variable_all_is_usable() -> None:
    assert unusable({}) == ()


@pytest.mark.parametrize(
    "environ",
    [
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "16"},
    ],
)
def test_what_is_known_is_usable(environ: dict[str, str]) -> None:
    assert unusable(environ) == ()


def test_every_problem_is_told_at_once() -> None:
    problems = unusable(
        {
            "OTEL_TRACES_SAMPLER": "sometimes",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
            "OTEL_TRACES_EXPORTER": "console",
            "OTEL_BSP_SCHEDULE_DELAY": "-1",
        }
    )
    assert len(problems) == 4


@pytest.mark.parametrize("package", ["opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"])
def test_a_package_that_is_not_installed_is_named_with_the_extra(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (problem,) = unusable({})
    assert "pip install 'platform-gateway[otel]'" in problem


def test_a_batch_that_never_fits_is_refused() -> None:
    (problem,) = unusable({"OTEL_BSP_MAX_QUEUE_SIZE": "5", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "6"})
    assert "larger than" in problem


def test_the_usual_word_turns_all_of_it_off() -> None:
    assert open_tracer({"OTEL_SDK_DISABLED": "True"}, MEANS, Spans({}, {})) is None


def test_a_trace_begins_with_new_ids_or_goes_on_below_the_callers() -> None:
    tracer = open_tracer({"OTEL_TRACES_EXPORTER": "none"}, MEANS, Spans({}, {}))
    assert tracer is not None
    new = tracer.begin(None, None)
    below = tracer.begin(b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-00", b"a=1")
    assert (new.trace_id, new.span_id, new.parent_id, new.sampled) == ("01" * 16, "01" * 8, "", True)
    assert (below.trace_id, below.span_id, below.parent_id) == ("a" * 32, "01" * 8, "b" * 16)
    assert (below.sampled, below.state) == (False, b"a=1")


def test_without_an_exporter_nothing_is_recorded_and_nothing_counted(a_call: CallRecord) -> None:
    tracer = open_tracer({"OTEL_TRACES_EXPORTER": "none"}, MEANS, Spans({}, {}))
    assert tracer is not None
    tracer.start()
    context = tracer.begin(None, None)
    tracer.call(msgspec.structs.replace(a_call, trace=CallTrace(context, "POST")))
    tracer.close(1.0)
    assert (context.sampled, tracer.figures()) == (True, Figures())
