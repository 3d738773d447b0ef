"""Each call is counted once, under labels from closed sets."""

from collections.abc import Callable, Mapping

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from gateway import errors
from gateway.observe.kinds import KINDS
from gateway.observe.metrics import Metrics
from gateway.records import CALLER_GONE, CallRecord, Origin

Counted = Callable[[str], dict[tuple[str, ...], float]]


def test_a_call_is_exactly_one_sample(metrics: Metrics, counted: Counted, a_call: CallRecord) -> None:
    metrics.call(a_call)

    assert counted("gateway_requests_total") == {("profiles/get", "0", "upstream"): 1}
    assert counted("gateway_request_duration_seconds_count") == {("profiles/get",): 1}
    assert counted("gateway_overhead_seconds_count") == {(): 1}
    assert counted("gateway_callers_requests_total") == {("crm",): 1}


@pytest.mark.parametrize("origin", ["upstream", "cache", "stale", "joined", "replayed", "gateway"])
def test_every_origin_counts_apart(
    metrics: Metrics, counted: Counted, a_call: CallRecord, origin: Origin
) -> None:
    metrics.call(replace(a_call, origin=origin))

    assert counted("gateway_requests_total") == {("profiles/get", "0", origin): 1}


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        pytest.param({"code": 404}, ("profiles/get", "404", "upstream"), id="a code of the platform"),
        pytest.param(
            {"code": 504, "origin": "gateway"}, ("profiles/get", "504", "gateway"), id="an own code"
        ),
        pytest.param({"code": 777}, ("profiles/get", "other", "upstream"), id="an unlisted code"),
        pytest.param({"code": None}, ("profiles/get", "other", "upstream"), id="a reply without a code"),
        pytest.param({"api_method": "other"}, ("other", "0", "upstream"), id="a method not in the catalogue"),
        pytest.param({"api_method": "evil/1"}, ("other", "0", "upstream"), id="a method nobody declared"),
        pytest.param({"status": 0}, ("profiles/get", "0", "upstream"), id="a caller that had gone"),
    ],
)
def test_the_labels_of_a_call(
    metrics: Metrics,
    counted: Counted,
    a_call: CallRecord,
    changes: Mapping[str, object],
    labels: tuple[str, ...],
) -> None:
    metrics.call(replace(a_call, **changes))

    assert counted("gateway_requests_total") == {labels: 1}


def test_nothing_a_caller_sends_makes_a_new_series(
    metrics: Metrics, registry: CollectorRegistry, a_call: CallRecord
) -> None:
    def series() -> int:
        return sum(len(metric.samples) for metric in registry.collect())

    metrics.call(replace(a_call, code=None, api_method="first", caller="first", account="first"))
    before = series()
    for number in range(100):
        strange = f"strange-{number}"
        metrics.call(
            replace(
                a_call,
                code=10_000 + number,
                api_method=strange,
                caller=strange,
                account=strange,
                called=strange,
            )
        )

    assert series() == before


def test_codes_that_a_platform_invents_count_as_other_however_many_they_are(
    metrics: Metrics, counted: Counted, a_call: CallRecord
) -> None:
    for code in range(10_000, 10_000 + KINDS + 10):
        metrics.call(replace(a_call, code=code))

    assert counted("gateway_requests_total") == {("profiles/get", "other", "upstream"): KINDS + 10}


@pytest.mark.parametrize("error", ["overloaded", "breaker-open", CALLER_GONE])
def test_an_own_error_counts_by_its_reason_and_account(
    metrics: Metrics, counted: Counted, a_call: CallRecord, error: str
) -> None:
    metrics.call(replace(a_call, origin="gateway", error=error, account="second"))
    metrics.call(a_call)

    assert counted("gateway_own_errors_total") == {("second", error): 1}


def test_what_an_alert_waits_for_is_there_before_it_happens_first(
    metrics: Metrics, registry: CollectorRegistry, a_call: CallRecord
) -> None:
    """`rate()` of a series that begins with 1 is 0."""

    def series() -> int:
        return sum(len(metric.samples) for metric in registry.collect())

    before = series()
    for code in (0, 401, 402, 404, 435, 500, 777, None):
        metrics.call(replace(a_call, code=code))
    for kind in (kind for kind in vars(errors).values() if isinstance(kind, errors.ErrorKind)):
        metrics.call(replace(a_call, code=kind.code, error=kind.name, origin="gateway"))
    metrics.call(replace(a_call, code=None, error=CALLER_GONE, origin="gateway"))
    for origin in ("cache", "stale", "joined"):
        metrics.call(replace(a_call, origin=origin))
    for origin in ("joined", "replayed"):
        metrics.call(replace(a_call, api_method="profiles/add", cache=None, origin=origin))

    assert series() == before


@pytest.mark.parametrize(("named", "label"), [("crm", "crm"), ("stranger", "other"), ("", "none")])
def test_callers_are_known_other_or_none(
    metrics: Metrics, counted: Counted, a_call: CallRecord, named: str, label: str
) -> None:
    metrics.call(replace(a_call, caller=named))

    assert counted("gateway_callers_requests_total") == {(label,): 1}


def test_overhead_is_the_time_outside_the_upstream_call(
    metrics: Metrics, registry: CollectorRegistry, a_call: CallRecord
) -> None:
    metrics.call(replace(a_call, seconds=0.75, upstream_seconds=0.5))

    assert registry.get_sample_value("gateway_overhead_seconds_sum") == 0.25
    assert (
        registry.get_sample_value("gateway_request_duration_seconds_sum", {"api_method": "profiles/get"})
        == 0.75
    )


def test_overhead_is_never_negative(
    metrics: Metrics, registry: CollectorRegistry, a_call: CallRecord
) -> None:
    metrics.call(replace(a_call, seconds=0.5, upstream_seconds=0.75))

    assert registry.get_sample_value("gateway_overhead_seconds_sum") == 0


def test_a_read_counts_its_lookup_and_a_write_its_role(
    metrics: Metrics, counted: Counted, a_call: CallRecord
) -> None:
    metrics.call(a_call)
    metrics.call(replace(a_call, api_method="profiles/add", cache=None, flight="led"))

    assert counted("gateway_cache_lookups_total") == {("profiles/get", "bypass"): 1}
    assert counted("gateway_flights_total") == {("profiles/add", "led"): 1}


def test_each_conversion_counts_by_direction(metrics: Metrics, counted: Counted, a_call: CallRecord) -> None:
    metrics.call(replace(a_call, conversions=("xml_to_json", "json_to_xml")))
    metrics.call(replace(a_call, conversions=("xml_to_json",)))

    assert counted("gateway_conversions_total") == {("xml_to_json",): 2, ("json_to_xml",): 1}


def test_a_flight_counts_its_outcome(metrics: Metrics, counted: Counted) -> None:
    metrics.flight_ended("profiles/add", "unknown")
    metrics.flight_ended("strange", "answered")

    assert counted("gateway_flight_outcomes_total") == {
        ("profiles/add", "unknown"): 1,
        ("other", "answered"): 1,
    }
