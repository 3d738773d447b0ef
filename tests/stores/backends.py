"""The stores under test, each with a hand on its clock."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.codec.negotiation import Format
from gateway.stores.cache import CacheEntry, CacheStore, Tags, read_tags, scoped
from gateway.stores.memory_cache import MemoryCache
from gateway.stores.redis.address import Address
from gateway.stores.redis.cache import RedisCache
from gateway.stores.redis.keys import Keys
from gateway.stores.redis.link import Link
from tests.valkey import Server

MINUTE = 60.0
PLATFORM = "https://example.com/api/v1.1"


@dataclass
class Clock:
    """Seconds that pass when a test says so. They begin at no special number."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Backend:
    """A store and the way to move its time."""

    store: CacheStore
    advance: Callable[[float], None]


@dataclass
class MemoryBackend:
    """The memory store with its gauges in reach."""

    max_bytes: int = 2**24
    clock: Clock = field(default_factory=Clock)
    store: MemoryCache = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryCache(self.max_bytes, self.clock)


def memory() -> Backend:
    backend = MemoryBackend()
    return Backend(backend.store, backend.clock.advance)


UNHURRIED = 20.0
"""Seconds that a question to Redis may take here: nothing is to fail because the machine is busy."""


def link_to(
    server: Server, prefix: str, *, timeout: float = UNHURRIED, name: str = "", url: str = ""
) -> Link:
    """A link that is still to be started."""
    loop = asyncio.get_running_loop()
    keys = Keys(prefix)
    gateway = name or os.urandom(4).hex()
    return Link(Address.parse(url or server.url), keys, timeout, gateway, lambda operation: None, loop.time)


@asynccontextmanager
async def redis_cache(server: Server) -> AsyncIterator[Backend]:
    """A store under a prefix of its own; its clock is a test's, and what Redis itself forgets it forgets
    later than any test lasts."""
    clock = Clock()
    link = link_to(server, f"{os.urandom(6).hex()}:")
    store = RedisCache(link, 2**24, refuse=False, scrub=bytes, now=clock)
    await link.start()
    assert link.is_up
    try:
        yield Backend(store, clock.advance)
    finally:
        await link.aclose()


def entry(body: bytes = b"{}", code: int = 0) -> CacheEntry:
    return CacheEntry(code, 200, b"application/json", body, Format.JSON)


def read_of(db: int, *, platform: str = PLATFORM, api_method: str = "databases/get") -> Tags:
    """The tags of a read that depends on one database."""
    return read_tags(platform, api_method, ("*", "databases", f"db:{db}"))


def write_of(db: int, *, platform: str = PLATFORM) -> Tags:
    """The tags of a write that changes one database."""
    return scoped(platform, (f"db:{db}", "db:*"))


def write_of_everything(platform: str = PLATFORM) -> Tags:
    return scoped(platform, ("*",))


KEY = b"key"
READ = read_of(7)


async def keep(
    store: CacheStore, key: bytes = KEY, tags: Tags = READ, *, body: bytes = b"{}", kept: float = MINUTE
) -> bool:
    """A whole read. Returns whether it was stored."""
    return await store.store(key, entry(body), await store.begin_read(tags), kept)


async def write(store: CacheStore, tags: Tags) -> None:
    """A whole write."""
    await store.end_write(await store.begin_write(tags, MINUTE))


async def body_of(store: CacheStore, key: bytes = KEY) -> bytes | None:
    found = await store.lookup(key)
    return None if found is None else found.entry.body
