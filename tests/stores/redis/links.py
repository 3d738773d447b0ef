"""A link under test: what it was told, and what it says when it falls and when it is back."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.stores.patience import patience_of_call
from gateway.stores.redis.address import Address
from gateway.stores.redis.keys import Keys
from gateway.stores.redis.link import Link
from tests.stores.backends import UNHURRIED

PATIENCE = 20.0
T = TypeVar("T")


@dataclass
class Watched:
    """A link, and what became of it."""

    link: Link
    failures: Counter[str] = field(default_factory=Counter)
    falls: int = 0
    _fell: asyncio.Event = field(default_factory=asyncio.Event)
    _returned: asyncio.Event = field(default_factory=asyncio.Event)

    def fell(self) -> None:
        self.falls += 1
        self._returned.clear()
        self._fell.set()

    def returned(self) -> None:
        self._fell.clear()
        self._returned.set()

    async def down(self) -> None:
        await asyncio.wait_for(self._fell.wait(), PATIENCE)

    async def up(self) -> None:
        await asyncio.wait_for(self._returned.wait(), PATIENCE)


def link_at(url: str, *, patience: float = UNHURRIED, prefix: str = "") -> Watched:
    """Still to be started."""
    keys, failures = Keys(prefix or f"{os.urandom(6).hex()}:"), Counter[str]()

    def failed(operation: str) -> None:
        failures[operation] += 1

    clock = asyncio.get_running_loop().time
    watched = Watched(Link(Address.parse(url), keys, patience, os.urandom(4).hex(), failed, clock), failures)
    watched.link.on_fall.append(watched.fell)
    watched.link.on_return.append(watched.returned)
    return watched


@asynccontextmanager
async def linked(url: str, *, patience: float = UNHURRIED, prefix: str = "") -> AsyncIterator[Watched]:
    watched = link_at(url, patience=patience, prefix=prefix)
    await watched.link.start()
    try:
        yield watched
    finally:
        await watched.link.aclose()


async def call(work: Callable[[], Awaitable[T]]) -> T:
    """What a call of its own does: with patience of its own."""

    async def run() -> T:
        return await work()

    return await asyncio.get_running_loop().create_task(run(), context=copy_context())


async def patience_after(link: Link, work: Callable[[], Awaitable[Any]]) -> float:
    """The seconds that a call may still wait for Redis after it did `work`."""

    async def run() -> float:
        await work()
        return patience_of_call(link.timeout).left

    return await call(run)
