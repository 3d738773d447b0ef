"""The turns of one account's requests, as far as this gateway alone gives them out. See `policy.pacing`."""

from collections.abc import Callable

from gateway.policy import pacing
from gateway.policy.pacing import Pace, Turn


class MemoryBucket:
    """`now` gives seconds of a clock that does not go back."""

    def __init__(self, pace: Pace, now: Callable[[], float]) -> None:
        self.pace = pace
        self._now = now
        self._due = 0.0

    def __repr__(self) -> str:
        return f"<MemoryBucket, a request every {self.pace.interval:.4f} s>"

    async def take(self, patience: float) -> Turn:
        """A turn of one's own within `patience` seconds, or none."""
        turn, self._due = pacing.take(self.pace, self._due, self._now(), patience)
        return turn
