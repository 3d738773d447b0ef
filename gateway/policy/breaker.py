"""When the platform is no longer tried, because trying it has mostly failed: a breaker for one account.

    closed      everybody is let in; results are counted over a sliding window
    open        nobody is let in, for `open_for` seconds
    half-open   one call at a time is let in as a probe; its result decides, the others are refused

`NEXT` is the whole machine.

One permit is one *attempt*, not one call: a call whose second attempt finds the breaker open stops there, and
what its first attempt may have done is as unknown as it was.

Every change of state begins a new generation, and so does every probe. A permit names the generation it was
given in, and a result counts only in its own: a call let in before the breaker opened cannot close it again
by a late answer, nor open it once more after it recovered, and a probe that was given up on has no say.

A failure is an attempt without an answer: no connection, reset, timeout, a page of a front server. An error
code of the platform is an answer. Refuses to wait, to read a clock and to know what a call is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import msgspec

_BUCKETS = 10


class State(StrEnum):
    """The values of the label `state` of gateway_breaker_state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Event(StrEnum):
    """What can change the state."""

    TRIPPED = "tripped"  # the share of failures was reached
    WAITED = "waited"  # `open_for` is over and a call came
    RECOVERED = "recovered"  # the probe was answered
    RELAPSED = "relapsed"  # the probe failed


NEXT: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.CLOSED, Event.TRIPPED): State.OPEN,
        (State.OPEN, Event.WAITED): State.HALF_OPEN,
        (State.HALF_OPEN, Event.RECOVERED): State.CLOSED,
        (State.HALF_OPEN, Event.RELAPSED): State.OPEN,
    }
)
"""All that may happen. A pair that is not here is a fault of this file: a KeyError, not a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """When to open and for how long. Times in seconds."""

    failure_ratio: float  # 0..1, of the attempts in the window
    min_calls: int  # attempts in the window before the ratio means anything
    window: float
    open_for: float
    probe_timeout: float  # no attempt lasts longer than this; a probe unheard of for so long is given up on


_CLOSED = State.CLOSED


class Permit(msgspec.Struct, frozen=True, gc=False):
    """Let in. To be handed to `Breaker.leave` exactly once, whatever became of the attempt."""

    generation: int
    probe: bool


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Not let in, and nothing to hand back. `retry_after` is in seconds, above 0, at most `open_for`."""

    retry_after: float


class Window:
    """How often something happened lately, in constant time and space however often that was.

    An event counts for at least `seconds` and is forgotten at the latest a tenth of that later.
    """

    def __init__(self, seconds: float) -> None:
        self._width = seconds / _BUCKETS
        # One more than fits: the newest is still filling, so the last `seconds` reach into an eleventh.
        self._buckets = [0] * (_BUCKETS + 1)
        self._newest = 0
        self._filling = 0  # the place of the newest
        self._filled_at = self._width  # when the next one begins
        self._total = 0

    def add(self, now: float) -> None:
        """It happened once more."""
        if now >= self._filled_at:
            self._forget(now)
        self._buckets[self._filling] += 1
        self._total += 1

    def count(self, now: float) -> int:
        """How often it happened in the window that ends now."""
        if now >= self._filled_at:
            self._forget(now)
        return self._total

    def _forget(self, now: float) -> None:
        """Empty the buckets that the time since the last event has moved out of the window."""
        newest = int(now // self._width)
        size = len(self._buckets)
        for number in range(max(self._newest, newest - size) + 1, newest + 1):
            self._total -= self._buckets[number % size]
            self._buckets[number % size] = 0
        self._newest = newest
        self._filling = newest % size
        self._filled_at = (newest + 1) * self._width


class Breaker:
    """`enter` before an attempt, `leave` after it. `now` is seconds of any clock that never goes back.

    `changed` is told each new state.
    """

    def __init__(self, rule: BreakerRule, changed: Callable[[State], None] = lambda _: None) -> None:
        self._rule = rule
        self._changed = changed
        self._state = State.CLOSED
        self._generation = 0
        self._permit = Permit(0, probe=False)  # of everybody who is let in in this generation
        self._until = 0.0  # when not closed: nobody is let in before this time
        self._forget_results()

    def __repr__(self) -> str:
        waiting = "" if self._state is State.CLOSED else f" until={self._until:.3f}"
        return f"<Breaker {self._state} generation={self._generation}{waiting}>"

    def state(self, now: float) -> State:
        """What the next call would find; asking changes nothing."""
        if self._state is State.OPEN and now >= self._until:
            return State.HALF_OPEN
        return self._state

    def enter(self, now: float) -> Permit | Refused:
        """Ask to make an attempt."""
        if self._state is _CLOSED:
            return self._permit
        if now < self._until:
            # When a probe will end nobody knows; should it fail, `open_for` begins again.
            return Refused(min(self._until - now, self._rule.open_for))
        if self._state is State.OPEN:
            self._change(Event.WAITED, now)
        return self._probe(now)

    def leave(self, permit: Permit, now: float, *, failed: bool | None) -> None:
        """Say what came of an attempt. None says nothing about the platform: the attempt was cancelled, or
        ended for a reason of our own; a probe is then given back, and the next call is one."""
        if permit.generation != self._generation:
            return
        if self._state is _CLOSED:
            self._count(now, failed)
        elif failed is None:
            self._until = now
        else:
            self._change(Event.RELAPSED if failed else Event.RECOVERED, now)

    def _probe(self, now: float) -> Permit:
        self._generation += 1
        self._until = now + self._rule.probe_timeout
        return Permit(self._generation, probe=True)

    def _count(self, now: float, failed: bool | None) -> None:
        if failed is None:
            return
        self._calls.add(now)
        if not failed:
            return  # an answer never opens it, even where it is the one that completes `min_calls`
        self._failures.add(now)
        calls, failures = self._calls.count(now), self._failures.count(now)
        if calls >= self._rule.min_calls and failures / calls >= self._rule.failure_ratio:
            self._change(Event.TRIPPED, now)

    def _change(self, event: Event, now: float) -> None:
        self._state = NEXT[self._state, event]
        self._generation += 1
        self._permit = Permit(self._generation, probe=False)
        self._until = now + self._rule.open_for
        self._forget_results()
        self._changed(self._state)

    def _forget_results(self) -> None:
        """What was counted before a change of state says nothing about the time after it."""
        self._calls = Window(self._rule.window)
        self._failures = Window(self._rule.window)
