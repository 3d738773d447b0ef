"""A thread for work that blocks: one job after another, the end of each told to the event loop.

Refuses to keep the process from ending: a job that hangs in a dead disk is left behind.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """Belongs to the loop in which it is made."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the jobs that were given."""
        self._jobs.put(None)

    def do(self, work: Callable[[], T], then: Callable[[T | Exception], None]) -> None:
        """Run `work` in the thread, then `then` in the loop: with what it returned, or what it raised."""
        self._jobs.put(lambda: self._tell(then, _end_of(work)))

    def _tell(self, then: Callable[[T | Exception], None], end: T | Exception) -> None:
        with suppress(RuntimeError):  # the loop is closed: whoever asked has given up
            self._loop.call_soon_threadsafe(then, end)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _end_of(work: Callable[[], T]) -> T | Exception:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the owner of the thread; it is handed on, not swallowed
        return error
