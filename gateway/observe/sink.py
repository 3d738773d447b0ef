"""The one place where the log leaves the process: masks tokens, then writes.

Lines are gathered and written by a thread of its own, several at a time. So a call pays for one `append`, and
a terminal or a log collector that stops reading stops nothing else. Lines that find no room then are dropped,
and the log itself says how many as soon as it moves again.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)

CAPACITY = 8 * 1024 * 1024  # bytes that wait


class Stream(Protocol):
    def write(self, data: memoryview, /) -> int | None:
        """Writes a part; says how long it was, or None when it would have to wait."""
        ...

    def flush(self) -> None: ...


class LogSink:
    """Takes finished lines from any thread. `mask` gives back what it is given, without tokens.

    `stream` had better be unbuffered: a buffered one cannot wait where somebody made it non-blocking. `delay`
    is how many seconds of lines are written at once; that much is lost when the process is killed.
    """

    def __init__(
        self,
        stream: Stream,
        mask: Callable[[bytes], bytes],
        *,
        delay: float = 0.08,
        capacity: int = CAPACITY,
    ) -> None:
        self._stream = stream
        self._mask = mask
        self._delay = delay
        self._capacity = capacity
        self._lines: list[bytes] = []
        self._size = 0
        self._dropped = 0
        self._adding = threading.Lock()
        self._writing = threading.Lock()
        self._stop = threading.Event()
        # A daemon: a stream that takes nothing any more must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Takes one or more whole lines; never waits for the stream."""
        with self._adding:
            if self._size + len(line) > self._capacity:
                self._dropped += 1
                return
            self._lines.append(line)
            self._size += len(line)

    def flush(self) -> None:
        """Writes what there is. A stream that fails costs the lines, not the caller."""
        with self._writing:
            lines = self._take()
            if not lines:
                return
            try:
                self._write_all(self._mask(b"".join(lines)))
            except (OSError, ValueError):  # ValueError: the stream was closed
                self._drop(len(lines))
                return
        self._tell_of_dropped()

    def close(self, timeout: float = 2.0) -> None:
        """Writes the rest, and waits up to `timeout` seconds for the stream to take it."""
        self._stop.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stop.wait(self._delay):
            try:
                self.flush()
            except Exception:  # the owner of the thread: a fault in masking must not silence the log for good
                logger.exception("log lines could not be written")
        self.flush()

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = self._stream.write(rest)
            if written is None:
                time.sleep(0.01)  # whoever shares the stream made it non-blocking, and it is full
            else:
                rest = rest[written:]
        self._stream.flush()

    def _take(self) -> list[bytes]:
        with self._adding:
            lines, self._lines, self._size = self._lines, [], 0
        return lines

    def _drop(self, count: int) -> None:
        with self._adding:
            self._dropped += count

    def _tell_of_dropped(self) -> None:
        with self._adding:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.warning("%d log lines were dropped, since they could not be written", dropped)
