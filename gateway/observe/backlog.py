"""Records that wait to be read by metrics, status page and log.

Most of what it takes to read one is coming to it: by then code and counters have left the processor's caches.
So some are read together: when there are enough, when a moment has passed, or when somebody wants to look.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from gateway.observe.kinds import Kind, kind_of
from gateway.records import AttemptRecord, CallRecord

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TOGETHER = 64
"""Calls that are read together: a fifth of a millisecond's work."""

DELAY = 0.02
"""Seconds that a record waits at most."""

ReadCall = Callable[[CallRecord, Kind], None]
ReadAttempt = Callable[[AttemptRecord], None]


class Backlog:
    """For one event loop: the one that runs when records come."""

    def __init__(self, of_calls: Iterable[ReadCall], of_attempts: ReadAttempt) -> None:
        """Who reads them, in this order."""
        self._of_calls = tuple(of_calls)
        self._of_attempts = of_attempts
        self._calls: list[CallRecord] = []
        self._attempts: list[AttemptRecord] = []
        self._together = TOGETHER
        self._timer: asyncio.TimerHandle | None = None

    def call(self, record: CallRecord) -> None:
        """A call has ended."""
        self._calls.append(record)
        if self._timer is None or len(self._calls) >= self._together:
            self._arrange()

    def attempt(self, record: AttemptRecord) -> None:
        """A request to the platform has ended, or could not be sent."""
        self._attempts.append(record)
        if self._timer is None or len(self._attempts) >= self._together:
            self._arrange()

    def before(self, look: Callable[P, R]) -> Callable[P, R]:
        """`look`, but for one who sees all that has ended."""

        def looking(*args: P.args, **named: P.kwargs) -> R:
            self.catch_up()
            return look(*args, **named)

        return looking

    def catch_up(self) -> None:
        """Have all read that there is."""
        attempts, self._attempts = self._attempts, []
        calls, self._calls = self._calls, []
        for attempt in attempts:
            try:
                self._of_attempts(attempt)
            except Exception:
                logger.exception("the record of an attempt could not be read")
        kinds = [kind_of(call) for call in calls]
        for read in self._of_calls:
            for call, kind in zip(calls, kinds, strict=True):
                try:
                    read(call, kind)
                except Exception:  # the others are to be read all the same
                    logger.exception("the record of a call could not be read")

    def close(self) -> None:
        """Have the rest read, and from now on every record at once."""
        self._together = 0
        if self._timer is not None:
            self._timer.cancel()
        self.catch_up()

    def _arrange(self) -> None:
        if max(len(self._calls), len(self._attempts)) >= self._together:
            self.catch_up()
        else:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._due)

    def _due(self) -> None:
        self._timer = None
        self.catch_up()
