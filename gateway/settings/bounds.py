"""Bounds that never hold, because another one is met first. What is not written, or written as it is by
default, is nobody's mistake and not looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from gateway.settings.model import Settings
from gateway.settings.structure import KeyPath

_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class _Pair:
    """`inner` says nothing where it is larger than `outer`."""

    inner: str
    outer: str
    text: str


_DEADLINE = "is longer than upstream.timeouts.total, after which the call ends"
_PAIRS = (
    _Pair("upstream.timeouts.connect", "upstream.timeouts.total", _DEADLINE),
    _Pair("upstream.timeouts.first_byte", "upstream.timeouts.total", _DEADLINE),
    _Pair("upstream.retries.backoff", "upstream.timeouts.total", _DEADLINE),
    _Pair("limits.queue_timeout", "upstream.timeouts.total", _DEADLINE),
    _Pair(
        "limits.max_in_flight",
        "upstream.max_connections",
        "is never reached: upstream.max_connections is less",
    ),
)


def idle_bounds(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """The key of each, and what to say of it."""
    for pair in _PAIRS:
        inner = attrgetter(pair.inner)
        if inner(settings) != inner(_DEFAULTS) and inner(settings) > attrgetter(pair.outer)(settings):
            yield tuple(pair.inner.split(".")), pair.text
