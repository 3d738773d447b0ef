"""An event loop that never waits for time to pass: when nothing else is left to do, its clock jumps to the
next timer. So an hour of ttl costs nothing, times are exact, and a test cannot be late.

It follows that after any sleep, however short, all that could go on without time has gone on. For loops whose
work is all in this process: it does wait for sockets and threads, but its clock then stands still.
"""

import asyncio
import selectors

BACKEND = ("asyncio", {"loop_factory": lambda: SkippingLoop()})
"""The value of the fixture `anyio_backend` for tests that run on it."""

MOMENT = 2**-10
"""Seconds, and exact in binary, so that sums of times stay exact."""


class _Skipping(selectors.DefaultSelector):
    """Says how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.skipped += max(0.0, timeout)
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    """Its time begins at 0."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.skipped


async def all_is_done() -> None:
    """Let everything go on that does not wait for time, sockets or the test."""
    await asyncio.sleep(MOMENT)
