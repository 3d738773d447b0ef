"""Keeps requests to the platform under `upstream.rate`: each waits for a turn that a bucket gives out.

A request holds its place of the admission while it waits, so it goes out at its turn and not later. Refuses
to let anybody wait longer than for a free place: then the call is told to come again.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from gateway import errors
from gateway.policy.pacing import Turn


class Bucket(Protocol):
    """Gives out turns: for this gateway, or for all that share it."""

    async def take(self, patience: float) -> Turn:
        """A turn of one's own within `patience` seconds, or none."""
        ...


Told = Callable[[str], None]
"""Of each request that is held back: `waited` or `refused`."""


class Pacer:
    """The turns of one account. `clock` is the loop's."""

    def __init__(self, bucket: Bucket, patience: float, clock: Callable[[], float], told: Told) -> None:
        self._bucket = bucket
        self._patience = patience
        self._clock = clock
        self._told = told
        self.waiting = 0

    def __repr__(self) -> str:
        return f"<Pacer, {self.waiting} requests wait>"

    async def turn(self, deadline: float) -> float:
        """Wait for a turn. Returns the seconds that it took; raises CallError (503, `Retry-After`) when it
        would come too late."""
        began = self._clock()
        turn = await self._bucket.take(max(0.0, min(self._patience, deadline - began)))
        if not turn.granted:
            self._told("refused")
            raise _too_many(turn.wait)
        if turn.wait > 0:
            self._told("waited")
            self.waiting += 1
            try:
                await asyncio.sleep(turn.wait)
            finally:
                self.waiting -= 1
        return self._clock() - began


def _too_many(wait: float) -> errors.CallError:
    return errors.CallError(
        errors.OVERLOADED,
        "overloaded: more calls than upstream.rate allows, and no turn in time; nothing was sent",
        {"Retry-After": str(max(1, math.ceil(wait)))},
    )
