"""Takes what is to be sent to a collector and sends it in the background, in batches, by a thread of its own.

A collector that is slow, away or refusing costs the spans that find no room, and nothing else: adding never
waits. What went which way is counted; that it does not work is said once, and once more when it works again.
Refuses to keep what could not be sent: a collector that comes back wants what is new.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.occurrence import event

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figures:
    """How many were delivered, could not be delivered, and found no room. They only grow."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much waits, how much goes at once, and how many seconds of it."""

    queue: int = 2048
    batch: int = 64  # three milliseconds of encoding, for which the interpreter is not the loop's
    delay: float = 5.0


class Delivery(Generic[T]):
    """`export` sends a batch and says why it could not, "" where it could; it may block. `interrupt` ends a
    blocking `export` for good."""

    def __init__(
        self, export: Callable[[Sequence[T]], str], interrupt: Callable[[], None], bounds: Bounds
    ) -> None:
        self._export = export
        self._interrupt = interrupt
        self._bounds = bounds
        self._waiting: deque[T] = deque()
        # Each has one writer: the loop's thread has `_dropped`, the other one the rest.
        self._sent = self._failed = self._dropped = 0
        self._failing = False
        self._lost_before = 0
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def add(self, one: T) -> None:
        """Never waits. Of the loop's thread only."""
        waiting = len(self._waiting)
        if waiting >= self._bounds.queue:
            self._dropped += 1
            return
        self._waiting.append(one)
        if waiting + 1 == self._bounds.batch:
            self._wake.set()

    @property
    def is_failing(self) -> bool:
        """Whether the last batch could not be delivered."""
        return self._failing

    def figures(self) -> Figures:
        return Figures(self._sent, self._failed, self._dropped)

    def close(self, patience: float) -> None:
        """Sends what is left, for `patience` seconds at most. Blocks."""
        if not self._thread.is_alive():
            return
        self._stopping = True
        self._wake.set()
        self._thread.join(patience)
        if self._thread.is_alive():
            self._interrupt()
            self._thread.join(1.0)
        if self._waiting:
            left = len(self._waiting)
            self._dropped += left
            log.warning("%d spans were not delivered before the end", left)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._bounds.delay)
            self._wake.clear()
            self._deliver()
        self._deliver()

    def _deliver(self) -> None:
        while self._waiting:
            size = min(self._bounds.batch, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            try:
                problem = self._export(batch)
            except Exception:  # the owner of the thread: one span that cannot be sent must not end them all
                log.exception("spans could not be sent")
                problem = "a fault of the gateway"
            if problem:
                self._failed += size
            else:
                self._sent += size
            self._tell(problem, size)
            if problem and not self._stopping:
                return  # a pause, before the next batch is tried
            time.sleep(0)  # the loop's turn

    def _tell(self, problem: str, size: int) -> None:
        if bool(problem) is self._failing:
            return
        self._failing = bool(problem)
        lost = self._failed + self._dropped
        if problem:
            self._lost_before = lost - size
            text = "spans cannot be delivered to the collector, and calls go on without: %s"
            log.warning(text, problem, extra=event("tracing_failed"))
        else:
            lost -= self._lost_before
            extra = event("tracing_recovered", lost=lost)
            log.info("spans are delivered again; %d were lost", lost, extra=extra)
