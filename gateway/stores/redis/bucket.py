"""The turns of one account's requests, given out to all gateways together. See `policy.pacing`.

While Redis is away, each gateway gives out turns by itself, the whole rate each: nobody knows how many there
are.
"""

from gateway.errors import StoreAwayError
from gateway.policy.pacing import Pace, Turn
from gateway.stores.memory_bucket import MemoryBucket
from gateway.stores.redis.link import Link, Refused
from gateway.stores.redis.scripts import TAKE

MICRO = 1e6


class RedisBucket:
    """`alone` is what this gateway goes on with."""

    def __init__(self, link: Link, name: str, alone: MemoryBucket) -> None:
        self._link = link
        self._key = link.keys.bucket(name)
        self._alone = alone

    @property
    def pace(self) -> Pace:
        return self._alone.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._alone.pace = pace

    async def take(self, patience: float) -> Turn:
        """A turn of one's own within `patience` seconds, or none."""
        numbers = [round(part * MICRO) for part in (self.pace.interval, self.pace.early, patience)]
        try:
            wait, granted = await self._link.script("take", TAKE, [self._key], *numbers)
        except (StoreAwayError, Refused):
            return await self._alone.take(patience)
        return Turn(wait / MICRO, bool(granted))
