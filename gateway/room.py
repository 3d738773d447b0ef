"""How much memory the bodies of all calls together may take. What does not fit waits at its caller's: nothing
of it is read meanwhile. Refuses to let it wait for long.

Small bodies are not counted: the number of connections bounds them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway import errors

SMALL = 64 * 1024
"""Bytes of a body that is let in whatever the others take."""


class Room:
    """Room for `size` bytes, first come first served, each waiting `patience` seconds at most."""

    def __init__(self, size: int, patience: float) -> None:
        self._size = size
        self._patience = patience
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.taken = 0

    def __repr__(self) -> str:
        return f"<Room, {self.taken} of {self._size} bytes taken, {len(self._waiting)} waiting>"

    @asynccontextmanager
    async def holding(self, size: int) -> AsyncIterator[None]:
        """Room for a body of `size` bytes. Raises CallError (503, `Retry-After`) when it waited too long."""
        if self._waiting or not self._fits(size):
            await self._wait(size)
        else:
            self.taken += size
        try:
            yield
        finally:
            self._leave(size)

    def _fits(self, size: int) -> bool:
        """One body always does, however large: it would never, otherwise."""
        return self.taken + size <= self._size or not self.taken

    async def _wait(self, size: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        entry = size, turn
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as end:
            if turn.done() and not turn.cancelled():
                self._leave(size)  # it was given to who is not there to take it
            else:
                self._waiting.remove(entry)
                self._let_in()
            if not isinstance(end, TimeoutError):
                raise
            raise errors.CallError(
                errors.OVERLOADED, "overloaded: too many large bodies; nothing was sent", {"Retry-After": "1"}
            ) from None

    def _leave(self, size: int) -> None:
        self.taken -= size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self.taken += size
                turn.set_result(None)
