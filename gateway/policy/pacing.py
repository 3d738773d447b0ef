"""When the next request to the platform may go out, so that no more go out than so many in a time.

The bucket is a single number: the moment when it would be empty of what was taken from it (GCRA). So it fits
into one key in Redis, and who takes from it gets a turn of its own at once: how long to wait, first come
first served, without asking again.
"""

import math
from dataclasses import dataclass

EARLY = 0.1
"""Seconds that a request may be ahead of an even spread, since calls come in bunches: up to a tenth of a
second's worth goes out at once, and in no time more than that beyond the rate."""


@dataclass(frozen=True, slots=True)
class Pace:
    """An even spread, and how far it may be run ahead of. Seconds."""

    interval: float
    early: float

    @classmethod
    def of(cls, rate: float) -> "Pace":
        """`rate` is requests per second, more than 0."""
        interval = 1 / rate
        return cls(interval, math.floor(EARLY / interval) * interval)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request gets: a turn after `wait` seconds; or none, since it would be after so many."""

    wait: float
    granted: bool


def take(pace: Pace, due: float, now: float, patience: float) -> tuple[Turn, float]:
    """A turn, and what is left: `due` is the bucket. Nothing is taken when the wait is more than
    `patience`."""
    due = max(due, now)
    wait = max(0.0, due - pace.early - now)
    if wait > patience:
        return Turn(wait, granted=False), due
    return Turn(wait, granted=True), due + pace.interval
