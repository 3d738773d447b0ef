"""What is so at the moment, as gauges.

Nothing here is counted up and down, where an exception or a cancelled task could make a number drift for
good: the parts that know are asked at each scrape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.observe.series import Family, Gauge


@dataclass(frozen=True, slots=True)
class Live:
    """The parts to ask. The functions run in the event loop and must be quick."""

    requests_in_progress: Callable[[], int]
    requests_queued: Callable[[], int]
    connections: Callable[[], Mapping[tuple[str, str], int]]  # by account and state: active, idle
    token_ages: Callable[[], Mapping[tuple[str, str], float]]  # in seconds, by account and token name
    loop_lag: Callable[[], float]  # in seconds


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
            "Calls that wait for a free place.",
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
            "gateway_event_loop_lag_seconds",
            "The longest that the event loop was late within the last minute.",
            lambda: [((), live().loop_lag())],
        ),
    )
