"""What is there from the start, what a reload adds, and the events that are no calls."""

import platform
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from gateway.catalogue.model import ApiMethod, Effect
from gateway.observe.labels import Names
from gateway.observe.live import CacheFigures, Live
from gateway.observe.metrics import Metrics
from gateway.records import AttemptRecord, CallRecord

Counted = Callable[[str], dict[tuple[str, ...], float]]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param(
            "gateway_requests_total",
            {"api_method": "profiles/get", "code": "404", "origin": "upstream"},
            id="each code of the platform",
        ),
        pytest.param(
            "gateway_requests_total",
            {"api_method": "profiles/add", "code": "504", "origin": "gateway"},
            id="each own code",
        ),
        pytest.param(
            "gateway_requests_total",
            {"api_method": "other", "code": "0", "origin": "upstream"},
            id="methods not in the catalogue",
        ),
        pytest.param(
            "gateway_upstream_requests_total", {"api_method": "profiles/get", "code": "none"}, id="no answer"
        ),
        pytest.param(
            "gateway_upstream_errors_total", {"account": "second", "kind": "tls"}, id="each failure"
        ),
        pytest.param(
            "gateway_cache_lookups_total", {"api_method": "profiles/get", "result": "hit"}, id="reads"
        ),
        pytest.param("gateway_flights_total", {"api_method": "profiles/add", "role": "joined"}, id="writes"),
        pytest.param(
            "gateway_flight_outcomes_total",
            {"api_method": "other", "outcome": "unknown"},
            id="unknown writes",
        ),
        pytest.param("gateway_platform_duplicates_total", {"api_method": "profiles/add"}, id="duplicates"),
        pytest.param(
            "gateway_item_results_total", {"api_method": "profiles/add_batch", "code": "409"}, id="batches"
        ),
        pytest.param("gateway_conversions_total", {"direction": "xml_to_json"}, id="conversions"),
        pytest.param("gateway_token_rejected_total", {"account": "default", "token": "reader"}, id="tokens"),
        pytest.param("gateway_redactions_total", {"sink": "reply"}, id="redactions"),
        pytest.param("gateway_callers_requests_total", {"caller": "crm"}, id="known callers"),
        pytest.param("gateway_callers_requests_total", {"caller": "other"}, id="unknown callers"),
        pytest.param(
            "gateway_request_duration_seconds_count", {"api_method": "profiles/get"}, id="durations"
        ),
        pytest.param("gateway_overhead_seconds_count", {}, id="overhead"),
    ],
)
def test_series_are_there_at_zero_before_anything_happens(
    metrics: Metrics, registry: CollectorRegistry, name: str, labels: dict[str, str]
) -> None:
    assert registry.get_sample_value(name, labels) == 0


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param("gateway_flights_total", {"api_method": "profiles/get", "role": "led"}, id="a read"),
        pytest.param(
            "gateway_cache_lookups_total", {"api_method": "profiles/add", "result": "hit"}, id="a write"
        ),
        pytest.param(
            "gateway_item_results_total", {"api_method": "profiles/add", "code": "0"}, id="no batch"
        ),
    ],
)
def test_series_that_can_never_move_are_not_made(
    metrics: Metrics, registry: CollectorRegistry, name: str, labels: dict[str, str]
) -> None:
    assert registry.get_sample_value(name, labels) is None


def test_a_reload_adds_names_and_keeps_the_counts(
    metrics: Metrics, registry: CollectorRegistry, counted: Counted, a_call: CallRecord
) -> None:
    metrics.call(a_call)
    metrics.call(replace(a_call, caller="shop"))  # a stranger so far

    metrics.declare(
        Names(
            methods=(ApiMethod("orders/get", Effect.READ),),
            accounts=("third",),
            tokens=(("third", "default"),),
            callers=("shop",),
        )
    )
    metrics.call(a_call)
    metrics.call(replace(a_call, caller="shop"))
    metrics.call(replace(a_call, api_method="orders/get", caller="shop"))

    assert counted("gateway_requests_total") == {
        ("profiles/get", "0", "upstream"): 4,
        ("orders/get", "0", "upstream"): 1,
    }
    assert counted("gateway_callers_requests_total") == {("crm",): 2, ("other",): 1, ("shop",): 2}
    assert (
        registry.get_sample_value("gateway_upstream_errors_total", {"account": "third", "kind": "reset"}) == 0
    )


def test_what_counted_as_other_counts_under_its_name_once_a_reload_gives_it_one(
    metrics: Metrics, counted: Counted, a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    call = replace(a_call, api_method="orders/get", caller="shop", account="third", error="overloaded")
    attempt = replace(an_attempt, api_method="orders/get", account="third", code=None, failure="reset")
    methods = (ApiMethod("orders/get", Effect.READ),)
    for names in (
        Names(methods=(), accounts=(), tokens=(), callers=()),
        Names(methods=methods, accounts=("third",), tokens=(), callers=("shop",)),
    ):
        metrics.declare(names)
        metrics.call(call)
        metrics.attempt(attempt)
        metrics.flight_ended("orders/get", "answered")

    for name, rest in {
        "gateway_requests_total": ("0", "upstream"),
        "gateway_request_duration_seconds_count": (),
        "gateway_upstream_requests_total": ("none",),
        "gateway_upstream_request_duration_seconds_count": (),
        "gateway_flight_outcomes_total": ("answered",),
    }.items():
        assert counted(name) == {("other", *rest): 1, ("orders/get", *rest): 1}
    assert counted("gateway_callers_requests_total") == {("other",): 1, ("shop",): 1}
    assert counted("gateway_own_errors_total") == {("other", "overloaded"): 1, ("third", "overloaded"): 1}
    assert counted("gateway_upstream_errors_total") == {("other", "reset"): 1, ("third", "reset"): 1}


def test_tokens_count_by_their_configured_name(metrics: Metrics, counted: Counted) -> None:
    metrics.token_rejected("default", "reader")
    metrics.token_rotated("default", "default")

    assert counted("gateway_token_rejected_total") == {("default", "reader"): 1}
    assert counted("gateway_token_rotations_total") == {("default", "default"): 1}


def test_redactions_count_by_sink(metrics: Metrics, counted: Counted) -> None:
    metrics.redacted("log", 2)
    metrics.redacted("log", 1)
    metrics.redacted("reply", 1)

    assert counted("gateway_redactions_total") == {("log",): 3, ("reply",): 1}


def test_a_refused_reload_leaves_the_time_of_the_last_good_one(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    def state() -> tuple[float | None, float | None]:
        return (
            registry.get_sample_value("gateway_config_last_reload_successful"),
            registry.get_sample_value("gateway_config_last_reload_success_timestamp_seconds"),
        )

    started = state()
    metrics.reloaded(False, 1763928100.0)
    refused = state()
    metrics.reloaded(True, 1763928200.0)

    assert (started, refused, state()) == ((1, 1763928000.0), (0, 1763928000.0), (1, 1763928200.0))


def test_the_build_says_what_runs(metrics: Metrics, registry: CollectorRegistry) -> None:
    labels = {"version": "1.2.3", "python": platform.python_version()}

    assert registry.get_sample_value("gateway_build_info", labels) == 1


def test_the_process_is_measured_too(metrics: Metrics, registry: CollectorRegistry) -> None:
    memory = registry.get_sample_value("process_resident_memory_bytes")

    assert memory is not None
    assert memory > 1_000_000


def test_after_a_reload_other_parts_are_asked(metrics: Metrics, registry: CollectorRegistry) -> None:
    def live(number: int) -> Live:
        return Live(
            requests_in_progress=lambda: number,
            requests_queued=lambda: number + 1,
            connections=lambda: {("default", "active"): number + 2, ("default", "idle"): number + 3},
            token_ages=lambda: {("default", "reader"): number + 0.5},
            loop_lag=lambda: number + 0.25,
            flights_in_progress=lambda: number,
            cache=lambda: CacheFigures(entries=number),
            breakers=lambda: {"default": "open"},
        )

    def values() -> list[float | None]:
        return [
            registry.get_sample_value("gateway_requests_in_progress"),
            registry.get_sample_value("gateway_requests_queued"),
            registry.get_sample_value(
                "gateway_upstream_connections", {"account": "default", "state": "active"}
            ),
            registry.get_sample_value(
                "gateway_upstream_connections", {"account": "default", "state": "idle"}
            ),
            registry.get_sample_value("gateway_token_age_seconds", {"account": "default", "token": "reader"}),
            registry.get_sample_value("gateway_event_loop_lag_seconds"),
        ]

    unwatched = values()
    metrics.watch(live(10))
    first = values()
    metrics.watch(live(20))

    assert unwatched == [0, 0, None, None, None, 0]
    assert first == [10, 11, 12, 13, 10.5, 10.25]
    assert values() == [20, 21, 22, 23, 20.5, 20.25]
