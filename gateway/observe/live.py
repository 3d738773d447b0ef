"""What is so at the moment, as gauges.

Nothing here is counted up and down, where an exception or a cancelled task could make a number drift for
good: the parts that know are asked at each scrape.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from gateway.observe.series import Family, Gauge, ReadCounter
from gateway.observe.tracing.delivery import Figures

BREAKER_STATES = ("closed", "open", "half_open")


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """How the cache stands. The last two only grow."""

    entries: int = 0
    bytes: int = 0
    evictions: int = 0
    invalidations: int = 0


@dataclass(frozen=True, slots=True)
class Live:
    """The parts to ask. The functions run in the event loop and must be quick."""

    requests_in_progress: Callable[[], int]
    requests_queued: Callable[[], int]
    connections: Callable[[], Mapping[tuple[str, str], int]]  # by account and state: active, idle
    token_ages: Callable[[], Mapping[tuple[str, str], float]]  # in seconds, by account and token name
    loop_lag: Callable[[], float]  # in seconds
    flights_in_progress: Callable[[], int]
    cache: Callable[[], CacheFigures]
    breakers: Callable[[], Mapping[str, str]]  # the state of each account's
    spans: Callable[[], Figures] = Figures


def live_gauges(live: Callable[[], Live]) -> tuple[Family, ...]:
    """`live` is a function, since after a reload there are other parts to ask."""
    return (
        Gauge(
            "gateway_requests_in_progress",
            "Calls that arrived and have not ended.",
            lambda: [((), live().requests_in_progress())],
        ),
        Gauge(
            "gateway_requests_queued",
            "Calls that wait for a free place, or for their turn under upstream.rate.",
            lambda: [((), live().requests_queued())],
        ),
        Gauge(
            "gateway_upstream_connections",
            "Open connections to the platform.",
            lambda: live().connections().items(),
            ("account", "state"),
        ),
        Gauge(
            "gateway_token_age_seconds",
            "Time since the token in use was read.",
            lambda: live().token_ages().items(),
            ("account", "token"),
        ),
        Gauge(
            "gateway_flights_in_progress",
            "Modifying calls that are on their way to the platform, identical ones counted once.",
            lambda: [((), live().flights_in_progress())],
        ),
        *_cache_families(live),
        Gauge(
            "gateway_breaker_state",
            "1 for the state that the account's breaker is in, 0 for the others.",
            lambda: [
                ((account, state), int(state == current))
                for account, current in live().breakers().items()
                for state in BREAKER_STATES
            ],
            ("account", "state"),
        ),
        Gauge(
            "gateway_event_loop_lag_seconds",
            "The longest that the event loop was late within the last minute.",
            lambda: [((), live().loop_lag())],
        ),
        ReadCounter(
            "gateway_spans_total",
            "Spans of recorded traces, by whether the collector got them.",
            lambda: [((name,), count) for name, count in asdict(live().spans()).items()],
            ("delivery",),
        ),
    )


def _cache_families(live: Callable[[], Live]) -> tuple[Family, ...]:
    return (
        Gauge(
            "gateway_cache_entries",
            "Replies of reads that are kept.",
            lambda: [((), live().cache().entries)],
        ),
        Gauge(
            "gateway_cache_bytes",
            "Bytes that the kept replies take, with all that belongs to them.",
            lambda: [((), live().cache().bytes)],
        ),
        ReadCounter(
            "gateway_cache_evictions_total",
            "Kept replies that went to make room.",
            lambda: [((), live().cache().evictions)],
        ),
        ReadCounter(
            "gateway_cache_invalidations_total",
            "Writes and purges that took kept replies out of use.",
            lambda: [((), live().cache().invalidations)],
        ),
    )
