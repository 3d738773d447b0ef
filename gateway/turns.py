"""Who may change something next, where several may want to: one at a time, in the order in which they came.

An `asyncio.Lock` for each thing would cost every call several objects, though hardly any two of them meet.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Turns(Generic[T]):
    """if not turns.take(thing):
        await turns.wait(thing)
    try:
        ...
    finally:
        turns.leave(thing)
    """

    def __init__(self) -> None:
        self._waiting: dict[T, deque[asyncio.Future[None]] | None] = {}

    def __len__(self) -> int:
        """Things that somebody is at."""
        return len(self._waiting)

    def take(self, thing: T) -> bool:
        """Whether it is free, and taken now."""
        if thing in self._waiting:
            return False
        self._waiting[thing] = None
        return True

    async def wait(self, thing: T) -> None:
        """Until it is the waiting one's turn."""
        if self.take(thing):
            return
        queue = self._waiting[thing]
        if queue is None:
            queue = self._waiting[thing] = deque()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(thing)  # it was given the turn, and is not there to take it
            raise

    def leave(self, thing: T) -> None:
        """The next one's turn."""
        queue = self._waiting[thing]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[thing]
