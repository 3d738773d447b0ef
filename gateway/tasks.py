"""The owner of background tasks, and the count of who is at work. Refuses to let a task vanish: each is
referenced, named, and its end is looked at."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class TaskOwner:
    """Starts tasks, keeps them alive, and can wait for all of them or end them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run `work` on its own; a failure that nobody awaits ends in the log, never in silence."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background task %s failed: %s", task.get_name(), type(error).__name__, exc_info=error)

    async def finish(self, timeout: float | None) -> int:  # noqa: ASYNC109 - who is late is left, not cancelled
        """Wait until every task that runs now has ended, `timeout` seconds at most (None: as long as it
        takes). Returns how many run then."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)
        return len(self._tasks)

    async def cancel(self) -> None:
        """End every task now."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Users:
    """Counts who is at work with something, so that it can be put away when the last one has left."""

    def __init__(self) -> None:
        self._count = 0
        self._left = asyncio.Event()

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._left.set()

    async def gone(self) -> None:
        """Wait until nobody is left. Only of use once nobody new comes."""
        while self._count:
            self._left.clear()
            await self._left.wait()
