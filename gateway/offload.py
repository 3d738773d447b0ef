"""Work on bodies that would hold the loop for too long, done beside it.

JSON goes to a thread: its parts are few calls into C, each short. XML goes there too while the interpreter
can switch back within milliseconds, and beyond that to a worker process, since walking a large tree holds the
interpreter lock. What is small is done at once: handing it over would cost more than doing it.
"""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

JSON_AT_ONCE = 256 * 1024
XML_AT_ONCE = 8 * 1024
XML_IN_A_THREAD = 1024 * 1024

TASKS_PER_WORKER = 100
"""A worker ends after so many: lxml keeps each element name that it ever saw, for the life of its thread."""

P = ParamSpec("P")
T = TypeVar("T")


class Offload:
    """Chooses where a conversion runs, by the size of its input in bytes. Owns the worker process."""

    def __init__(self) -> None:
        self._workers: ProcessPoolExecutor | None = None

    async def json(self, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.aside(size > JSON_AT_ONCE, work, *args, **kwargs)

    async def aside(self, is_large: bool, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Work that can go to a thread only."""
        return await asyncio.to_thread(work, *args, **kwargs) if is_large else work(*args, **kwargs)

    async def xml(self, size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if size <= XML_AT_ONCE:
            return work(*args, **kwargs)
        if size <= XML_IN_A_THREAD:
            return await asyncio.to_thread(work, *args, **kwargs)
        return await self._in_a_process(work, *args, **kwargs)

    async def _in_a_process(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # One worker: it is for the odd huge document, and a second one would take the loop's own core.
        if self._workers is None:
            self._workers = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_leave_interrupts_to_the_parent,
                max_tasks_per_child=TASKS_PER_WORKER,
            )
        workers = self._workers
        try:
            return await asyncio.wrap_future(workers.submit(work, *args, **kwargs))
        except BrokenProcessPool:
            # The worker was killed, most likely for its memory. The next document gets a new one.
            if self._workers is workers:
                self._workers = None
            raise

    def close(self) -> None:
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C goes to the whole group; what the worker is doing is still wanted while the gateway drains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
