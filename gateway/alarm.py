"""A timer that is moved all the time and seldom fires: for what is too late on one connection.

Moving it away costs an assignment: what was set with the loop stays, and looks again when it fires.
"""

import asyncio
import math
from collections.abc import Callable

_GRAIN = 0.001  # uvloop's timers count whole milliseconds and may fire that much early


class Alarm:
    """Calls `ring` once the seconds that were set last are over."""

    __slots__ = ("_due", "_loop", "_ring", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """From now on."""
        self._due = due = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)
        elif self._timer.when() > due:
            self._timer.cancel()
            self._timer = self._loop.call_at(due, self._look)

    def put_off(self) -> None:
        """Until it is set again."""
        self._due = math.inf

    def stop(self) -> None:
        """For good. Who was to be rung is let go: else the two would hold each other."""
        self._ring = _nobody
        self._due = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() + _GRAIN >= self._due:
            self._ring()
        elif self._due < math.inf:
            self._timer = self._loop.call_at(self._due, self._look)


def _nobody() -> None:
    """Whom a stopped alarm rings."""
