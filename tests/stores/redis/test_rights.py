"""A user of Redis with the rights that docs/scaling.md names, and no others, is enough for everything."""

import asyncio
from pathlib import Path

import pytest
import redis

from gateway.policy.pacing import Pace
from gateway.stores.memory_bucket import MemoryBucket
from gateway.stores.redis.bucket import RedisBucket
from gateway.stores.redis.cache import RedisCache
from tests.stores.backends import READ, body_of, keep, write, write_of
from tests.stores.flight_backends import IDENTITY, answered, out, put, shared_flights
from tests.stores.redis.links import call, linked
from tests.valkey import Server

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[3] / "docs/scaling.md"


def rights() -> list[str]:
    """The words of the page's ACL SETUSER after the user's name."""
    [line] = [
        line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("ACL SETUSER gateway ")
    ]
    return line.split()[3:]


def allow(server: Server) -> str:
    """Returns the address with that user's name."""
    words = " ".join(["ACL", "SETUSER", "gateway", *rights()])
    server.tell(*words.replace(">a-long-password", ">secret").split())
    return f"redis://gateway:secret@127.0.0.1:{server.port}/0"


async def test_replies_are_kept_overtaken_and_purged(server: Server) -> None:
    async with linked(allow(server), prefix="gateway:") as watched:
        assert watched.link.is_up
        store = RedisCache(watched.link, 2**24, refuse=False, scrub=bytes)
        assert await call(lambda: keep(store, body=b"kept"))
        assert await call(lambda: body_of(store)) == b"kept"
        snapshot = await call(lambda: store.begin_read(READ))
        assert await call(lambda: store.still_valid(snapshot))
        await call(lambda: write(store, write_of(7)))
        assert await call(lambda: keep(store))
        assert await call(lambda: store.purge(READ)) == 1
        assert not watched.failures


async def test_turns_are_given_out(server: Server) -> None:
    async with linked(allow(server), prefix="gateway:") as watched:
        clock = asyncio.get_running_loop().time
        bucket = RedisBucket(watched.link, "default", MemoryBucket(Pace.of(1), clock))
        assert (await call(lambda: bucket.take(1.0))).granted
        assert not watched.failures


async def test_flights_go_from_state_to_state(server: Server) -> None:
    url = allow(server)
    async with (
        shared_flights(server, "gateway:", url=url) as a,
        shared_flights(server, "gateway:", url=url) as b,
    ):
        flight = out()
        await call(lambda: put(a.store, flight, answered(flight, owed=1)))
        assert await call(lambda: b.store.load(IDENTITY)) == answered(flight, owed=1)
        assert a.link.is_up
        assert b.link.is_up


def test_nothing_else_is_allowed(server: Server) -> None:
    allow(server)
    user = redis.Redis(port=server.port, username="gateway", password="secret")
    for forbidden in (user.flushall, user.keys, user.config_get, lambda: user.get("another")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            forbidden()
