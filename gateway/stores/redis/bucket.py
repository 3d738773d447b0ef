"""The turns of one account's requests, given out to all gateways together. See `policy.pacing`.

While Redis is away, each gateway gives out turns by itself, the whole rate each: nobody knows how many there
are.
"""

from gateway.errors import StoreAwayError
from gateway.policy.pacing import Turn
from gateway.stores.memory_bucket import MemoryBucket
from gateway.stores.redis.link import Link, Refused
from gateway.stores.redis.scripts import TAKE

MICRO = 1e6


class RedisBucket:
    """`alone` is what this gateway goes on with. What is due at one pace means nothing at another, so each
    pace has a bucket of its own."""

    def __init__(self, link: Link, name: str, alone: MemoryBucket) -> None:
        pace = alone.pace
        self._link = link
        self._key = link.keys.bucket(f"{name} {pace.interval}")
        self._numbers = (round(pace.interval * MICRO), round(pace.early * MICRO))
        self._alone = alone

    async def take(self, patience: float) -> Turn:
        """A turn of one's own within `patience` seconds, or none."""
        numbers = (*self._numbers, round(patience * MICRO))
        try:
            wait, granted = await self._link.script("take", TAKE, [self._key], *numbers)
        except (StoreAwayError, Refused):
            return await self._alone.take(patience)
        return Turn(wait / MICRO, bool(granted))
