"""How late the event loop is: what blocks it delays every call at once."""

import asyncio
from collections import deque
from collections.abc import Callable


class LoopLag:
    """Measures by sleeping and seeing how much later it wakes. `clock` is monotonic; times in seconds."""

    def __init__(self, clock: Callable[[], float], *, interval: float = 0.5, window: float = 60.0) -> None:
        self._clock = clock
        self._interval = interval
        self._window = window
        self._samples: deque[tuple[float, float]] = deque()  # when, and how late
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._measure(), name="event loop lag")

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def worst(self) -> float:
        """The longest delay within the window: a mean hides what hurts, and so may the latest sample."""
        self._forget(self._clock())
        return max((late for _, late in self._samples), default=0.0)

    async def sample(self) -> None:
        """One measurement."""
        due = self._clock() + self._interval
        await asyncio.sleep(self._interval)
        now = self._clock()
        self._samples.append((now, max(0.0, now - due)))
        self._forget(now)

    async def _measure(self) -> None:
        while True:
            await self.sample()

    def _forget(self, now: float) -> None:
        while self._samples and self._samples[0][0] < now - self._window:
            self._samples.popleft()
