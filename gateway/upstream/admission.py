"""How many calls may be on their way upstream at once. Refuses to queue without bound, or for long.

It stands in front of the connection pool and lets in at most as many as the pool has connections: then nobody
ever waits inside the pool, where a wait that is cancelled or times out can lose a slot for good
(encode/httpcore#1093).
"""

import asyncio
from types import TracebackType

from gateway import errors


class Admission:
    """At most `running` at once and `queued` waiting, first come first served, each `patience` seconds at
    most."""

    def __init__(self, running: int, queued: int, patience: float) -> None:
        self._places = asyncio.Semaphore(running)
        self._queue_size = queued
        self._patience = patience
        self.running = 0
        self.queued = 0

    def __repr__(self) -> str:
        return f"<Admission running={self.running} queued={self.queued}>"

    async def __aenter__(self) -> None:
        """Take a place. Raises CallError (503, `Retry-After`) when the queue is full or the wait too long."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()  # free: does not suspend
        self.running += 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running -= 1
        self._places.release()

    async def _wait(self) -> None:
        if self.queued >= self._queue_size:
            raise _overloaded("too many calls are waiting")
        self.queued += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise _overloaded("no free connection to the platform in time") from None
        finally:
            self.queued -= 1


def _overloaded(why: str) -> errors.CallError:
    return errors.CallError(errors.OVERLOADED, f"overloaded: {why}; nothing was sent", {"Retry-After": "1"})
