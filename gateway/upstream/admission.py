"""How many calls may be on their way upstream at once. Refuses to queue without bound, or for long.

It stands in front of the connection pool and lets in at most as many as the pool has connections: then nobody
ever waits inside the pool, where a wait that is cancelled or times out can lose a slot for good
(encode/httpcore#1093).
"""

import asyncio
import math
from collections import deque
from types import TracebackType

from gateway import errors

TOO_LATE = "the call's time was over before its turn came; nothing was sent"
_GRAIN = 0.001  # uvloop's timers count whole milliseconds and may fire that much early


class Admission:
    """At most `running` at once and `queued` waiting, first come first served, each `patience` seconds at
    most."""

    def __init__(self, running: int, queued: int, patience: float) -> None:
        self._places = running
        self._queue_size = queued
        self._patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.running = 0
        self.queued = 0

    def __repr__(self) -> str:
        return f"<Admission running={self.running} queued={self.queued}>"

    async def enter(self, deadline: float = math.inf) -> None:
        """Take a place. Raises CallError (503, `Retry-After`) when the queue is full or the wait too long;
        504 when `deadline`, in the loop's time, comes first."""
        if not self.take():
            await self._wait(deadline)

    def take(self) -> bool:
        """Whether there is a free place, which is taken now."""
        if self.running >= self._places:
            return False
        self.running += 1
        return True

    def leave(self) -> None:
        """Give the place to whoever has waited longest, or back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1

    async def __aenter__(self) -> None:
        await self.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    async def _wait(self, deadline: float) -> None:
        if self.queued >= self._queue_size:
            raise _overloaded("too many calls are waiting")
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        self.queued += 1
        try:
            async with asyncio.timeout_at(min(loop.time() + self._patience, deadline)):
                await turn
        except BaseException as end:
            if turn.done() and not turn.cancelled():
                self.leave()  # a place was given to who is not there to take it
            if not isinstance(end, TimeoutError):
                raise
            if loop.time() + _GRAIN >= deadline:
                raise errors.CallError(errors.UPSTREAM_TIMEOUT, TOO_LATE) from None
            raise _overloaded("no free connection to the platform in time") from None
        finally:
            self.queued -= 1


def _overloaded(why: str) -> errors.CallError:
    return errors.CallError(errors.OVERLOADED, f"overloaded: {why}; nothing was sent", {"Retry-After": "1"})
