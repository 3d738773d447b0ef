"""What the shared cache promises while Redis is away, and of what was kept before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.errors import StoreAwayError
from gateway.stores.redis.cache import RedisCache
from tests.stores.backends import KEY, MINUTE, READ, body_of, entry, keep, write, write_of
from tests.stores.redis.links import Watched, call, linked
from tests.valkey import Server

pytestmark = pytest.mark.anyio

WRITTEN = write_of(7)


@dataclass
class One:
    """What one gateway has of the cache."""

    store: RedisCache
    watched: Watched


@asynccontextmanager
async def gateway_at(server: Server, *, refuse: bool = False) -> AsyncIterator[One]:
    async with linked(server.url, prefix="shared:") as watched:
        yield One(RedisCache(watched.link, 2**24, refuse=refuse, scrub=bytes), watched)


async def test_what_one_gateway_keeps_the_other_finds_until_a_write_through_either(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        for writer in (a, b):
            assert await call(lambda: keep(a.store, body=b"kept"))
            assert await call(lambda: body_of(b.store)) == b"kept"
            await call(lambda writer=writer: write(writer.store, WRITTEN))  # type: ignore[misc]
            assert await call(lambda: body_of(a.store)) is None
            assert await call(lambda: body_of(b.store)) is None


async def test_without_redis_nothing_is_found_kept_or_joined_and_nothing_fails(server: Server) -> None:
    async with gateway_at(server) as a:
        await call(lambda: keep(a.store))
        server.stop()
        await a.watched.down()

        assert await call(lambda: body_of(a.store)) is None
        snapshot = await call(lambda: a.store.begin_read(READ))
        assert snapshot.closed
        assert not await call(lambda: a.store.still_valid(snapshot))
        assert not await call(lambda: a.store.store(KEY, entry(), snapshot, MINUTE))
        assert await call(lambda: a.store.purge(READ)) == 0
        await call(lambda: write(a.store, WRITTEN))


async def test_a_write_is_refused_without_redis_where_that_is_wanted(server: Server) -> None:
    async with gateway_at(server, refuse=True) as a:
        server.stop()
        await a.watched.down()
        with pytest.raises(StoreAwayError):
            await call(lambda: a.store.begin_write(WRITTEN, MINUTE))


async def test_what_was_kept_before_an_outage_is_not_trusted_after_it(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        await call(lambda: keep(a.store))
        a.watched.link.fall("a line is cut")
        await call(lambda: write(a.store, WRITTEN))  # of which the other knows nothing
        await a.watched.up()
        assert await call(lambda: body_of(b.store)) is None
        assert await call(lambda: keep(b.store))


async def test_a_read_that_began_before_an_outage_is_not_kept_after_it(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        snapshot = await call(lambda: b.store.begin_read(READ))
        a.watched.link.fall("a line is cut")
        await a.watched.up()
        assert not await call(lambda: b.store.still_valid(snapshot))
        assert not await call(lambda: b.store.store(KEY, entry(), snapshot, MINUTE))


async def test_what_a_server_brings_back_from_its_disk_is_not_trusted(server: Server) -> None:
    async with gateway_at(server) as a:
        await call(lambda: keep(a.store))
        server.client.save()
        server.stop()
        server.start()
        assert server.client.keys("shared:c1:*")
        await a.watched.down()
        await a.watched.up()
        assert await call(lambda: body_of(a.store)) is None


async def test_after_a_flush_nothing_old_is_kept(server: Server) -> None:
    async with gateway_at(server) as a:
        snapshot = await call(lambda: a.store.begin_read(READ))
        server.client.flushall()
        assert not await call(lambda: a.store.store(KEY, entry(), snapshot, MINUTE))
        assert await call(lambda: keep(a.store))


async def test_the_end_of_a_write_that_could_not_be_told_is_told_afterwards(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        mark = await call(lambda: a.store.begin_write(WRITTEN, 3600))
        assert not await call(lambda: keep(b.store))
        a.watched.link.fall("a line is cut")
        await call(lambda: a.store.end_write(mark))
        await a.watched.up()
        assert await call(lambda: keep(b.store))


async def test_a_task_that_began_without_redis_closes_its_tags_when_it_is_back(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        a.watched.link.fall("a line is cut")
        mark = await call(lambda: a.store.begin_write(WRITTEN, 3600))
        await call(lambda: a.store.end_write(mark, settle=3600))
        await a.watched.up()
        assert not await call(lambda: keep(b.store))


async def test_without_memory_what_is_kept_is_given_and_writes_still_take_it_away(server: Server) -> None:
    async with gateway_at(server) as a:
        await call(lambda: keep(a.store, body=b"kept"))
        server.client.config_set("maxmemory", 1)

        assert await call(lambda: body_of(a.store)) == b"kept"
        assert not await call(lambda: keep(a.store, b"another"))
        assert a.watched.failures["store"] == 1

        mark = await call(lambda: a.store.begin_write(WRITTEN, MINUTE))
        assert await call(lambda: body_of(a.store)) is None
        await call(lambda: a.store.end_write(mark, settle=MINUTE))
        server.client.config_set("maxmemory", 0)
        assert not await call(lambda: keep(a.store))
        assert a.watched.falls == 0


async def test_a_purge_that_could_not_be_told_takes_all_away(server: Server) -> None:
    async with gateway_at(server) as a, gateway_at(server) as b:
        await call(lambda: keep(a.store))
        a.watched.link.fall("a line is cut")
        assert await call(lambda: a.store.purge(READ)) == 0
        await a.watched.up()
        assert await call(lambda: body_of(b.store)) is None


async def test_everything_has_an_expiry_and_stands_under_the_prefix(server: Server) -> None:
    async with gateway_at(server) as a:
        await call(lambda: keep(a.store))
        await call(lambda: a.store.begin_write(WRITTEN, MINUTE))
        client = server.client
        keys = client.keys()
        assert len(keys) > 3
        assert keys == client.keys("shared:*")
        assert [key for key in keys if client.pttl(key) <= 0] == []
