"""When the journal is written: changes gather while the disk is busy, and are committed together.

Only the latest state of a flight is written, so one that is answered and handed out within LAG leaves no
trace of its answer. A flight that goes out does not wait for that: it takes along what has gathered.

A file that cannot be used costs its promise and nothing else: calls go on without it, the log says so once, a
counter each time, and it is tried again after RETRY. Whenever it is opened, it is made equal to memory.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Literal

from gateway.occurrence import event
from gateway.policy.flight import Flight
from gateway.stores.flights import Identity
from gateway.stores.journal_file import Changes, Flights, JournalError, JournalFile, Opened
from gateway.worker import Worker

LAG = 0.01
"""Seconds that an answer may wait to be written. After a crash in between, its outcome is unknown."""
PATIENCE = 5.0
"""Seconds that a call waits for a disk that hangs."""
RETRY = 30.0
"""Seconds until a file that failed is tried again."""

Operation = Literal["open", "write"]
Differences = Callable[[Flights], Changes]
"""What makes a file that holds these flights equal to memory."""

log = logging.getLogger(__name__)


class JournalWriter:
    """Writes one file by a thread of its own. `failed` is told of each operation that failed."""

    def __init__(
        self,
        file: JournalFile,
        failed: Callable[[Operation], None],
        *,
        lag: float = LAG,
        patience: float = PATIENCE,
        retry: float = RETRY,
    ) -> None:
        self._file = file
        self._failed = failed
        self._lag = lag
        self._patience = patience
        self._retry = retry
        self._worker: Worker | None = None
        self._changes: dict[Identity, Flight | None] = {}
        self._timer: asyncio.TimerHandle | None = None  # until the changes are due
        self._waiting: list[asyncio.Future[None]] = []  # for the changes to be committed
        self._committing: list[asyncio.Future[None]] = []  # for those that the worker has
        self._alarm: asyncio.TimerHandle | None = None  # while the worker has something, for PATIENCE
        self._is_busy = False
        self._is_stuck = False
        self._is_open = False
        self._is_well = True  # so far as the log has said
        self._shut_until = 0.0  # by the loop's clock

    async def start(self, differences: Differences) -> None:
        """Open the file, or note that it cannot be."""
        self._loop = asyncio.get_running_loop()
        self._differences = differences
        self._worker = Worker("journal")
        await self._committed()

    async def aclose(self) -> None:
        """Write what is left, and close the file."""
        if self._worker is None:
            return
        self._shut_until = 0.0  # a last try
        await self._committed()
        self._shut_until = float("inf")
        if self._timer is not None:
            self._timer.cancel()
        closed = self._loop.create_future()
        self._worker.do(self._file.close, lambda end: closed.set_result(None))
        await asyncio.wait([closed], timeout=0 if self._is_stuck else self._patience)
        self._worker.stop()

    @property
    def is_well(self) -> bool:
        return self._is_well

    def note(self, identity: Identity, flight: Flight | None) -> None:
        """To be written soon."""
        if self._is_shut():
            return
        self._changes[identity] = flight
        if self._timer is None:
            self._timer = self._loop.call_later(self._lag, self._due)

    async def commit(self, identity: Identity, flight: Flight) -> None:
        """Returns when it is in the file, or when the file is given up."""
        self._changes[identity] = flight
        await self._committed()

    async def _committed(self) -> None:
        if self._is_shut():
            self._changes.clear()
            return
        done = self._loop.create_future()
        self._waiting.append(done)
        self._work()
        await done

    def _is_shut(self) -> bool:
        return self._is_stuck or self._loop.time() < self._shut_until

    def _due(self) -> None:
        self._timer = None
        self._work()

    def _work(self) -> None:
        """Give the worker what is due: one thing at a time, so that changes gather meanwhile."""
        is_due = self._waiting or (self._changes and self._timer is None)
        if self._is_busy or not is_due or self._worker is None:
            return
        self._is_busy = True
        self._alarm = self._loop.call_later(self._patience, self._hangs)
        if not self._is_open:
            self._worker.do(self._file.open, self._opened)
            return
        changes, self._changes = self._changes, {}
        self._committing, self._waiting = self._waiting, []
        self._worker.do(partial(self._file.write, changes), self._written)

    def _opened(self, end: Opened | Exception) -> None:
        is_wanted = self._is_free_again()
        if isinstance(end, Exception):
            self._fail("open", end)
        elif is_wanted:
            self._is_open = True
            if end.damage:
                self._failed("open")
                log.error(
                    "dedup.journal: %s %s",
                    self._file.path,
                    end.damage,
                    extra=event("store_failed", store="journal"),
                )
            self._changes = dict(self._differences(end.flights))
        self._work()

    def _written(self, end: Exception | None) -> None:
        is_wanted = self._is_free_again()
        if end is not None:
            self._fail("write", end)
        elif is_wanted:
            _wake(self._committing)
            if not self._is_well:
                self._is_well = True
                log.warning(
                    "dedup.journal: %s is written again",
                    self._file.path,
                    extra=event("store_recovered", store="journal"),
                )
        self._work()

    def _is_free_again(self) -> bool:
        """The worker has ended something. Returns whether that was in time."""
        was_stuck = self._is_stuck
        self._is_busy = self._is_stuck = False
        if self._alarm is not None:
            self._alarm.cancel()
        return not was_stuck

    def _hangs(self) -> None:
        self._is_stuck = True
        self._fail("write" if self._is_open else "open", JournalError("is on a disk that does not answer"))

    def _fail(self, operation: Operation, why: Exception) -> None:
        """Nobody waits any longer, and the file is behind from here on."""
        self._is_open = False
        self._shut_until = self._loop.time() + self._retry
        self._changes.clear()
        _wake(self._committing)
        _wake(self._waiting)
        self._failed(operation)
        if self._is_well:
            self._is_well = False
            log.error(
                "dedup.journal: %s %s; calls go on without it, and a crash would forget them",
                self._file.path,
                why,
                exc_info=None if isinstance(why, JournalError) else why,
                extra=event("store_failed", store="journal"),
            )


def _wake(waiting: list["asyncio.Future[None]"]) -> None:
    for done in waiting:
        if not done.done():  # who was cancelled waits no more
            done.set_result(None)
    waiting.clear()
