"""What every bucket of turns promises, in memory and in Redis."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from gateway.policy.pacing import Pace
from gateway.stores.memory_bucket import MemoryBucket
from gateway.stores.redis.bucket import RedisBucket
from gateway.upstream.pacing import Bucket
from tests.stores.redis.links import Watched, call, linked
from tests.stores.servers import SHARED
from tests.valkey import Server

pytestmark = pytest.mark.anyio

HOUR = 3600.0


@dataclass
class Buckets:
    """Makes buckets of one account: all that share it, where they can."""

    make: Callable[[float], Bucket]
    watched: Watched | None


def alone(rate: float) -> MemoryBucket:
    return MemoryBucket(Pace.of(rate), asyncio.get_running_loop().time)


@pytest.fixture(params=["memory", *SHARED])
async def buckets(request: pytest.FixtureRequest) -> AsyncIterator[Buckets]:
    if request.param == "memory":
        yield Buckets(alone, None)
        return
    server: Server = request.getfixturevalue(request.param)
    async with linked(server.url, prefix=f"{os.urandom(6).hex()}:") as watched:
        yield Buckets(lambda rate: RedisBucket(watched.link, "default", alone(rate)), watched)


async def test_the_first_goes_at_once_and_the_next_when_the_rate_says(buckets: Buckets) -> None:
    bucket = buckets.make(1 / 60)
    first, second, third = [await call(lambda: bucket.take(HOUR)) for _ in range(3)]
    assert (first.wait, first.granted) == (0.0, True)
    assert 50 < second.wait <= 60
    assert 110 < third.wait <= 120


async def test_a_turn_that_would_come_too_late_is_not_taken(buckets: Buckets) -> None:
    bucket = buckets.make(1 / 60)
    await call(lambda: bucket.take(HOUR))
    refused = [await call(lambda: bucket.take(1.0)) for _ in range(5)]
    granted = await call(lambda: bucket.take(HOUR))
    assert [turn.granted for turn in refused] == [False] * 5
    assert all(50 < turn.wait <= 60 for turn in refused)
    assert 50 < granted.wait <= 60


async def test_a_tenth_of_a_second_s_worth_may_go_at_once(buckets: Buckets) -> None:
    bucket = buckets.make(50)
    turns = await asyncio.gather(*(call(lambda: bucket.take(HOUR)) for _ in range(6)))
    assert [turn.wait for turn in turns] == [0.0] * 6


async def test_another_rate_is_another_bucket(buckets: Buckets) -> None:
    slow, fast = buckets.make(1 / 60), buckets.make(10)
    await call(lambda: slow.take(HOUR))
    assert (await call(lambda: fast.take(HOUR))).wait == 0.0
    assert (await call(lambda: slow.take(HOUR))).wait > 50


async def test_gateways_that_share_it_share_the_rate(valkey_server: Server) -> None:
    async with linked(valkey_server.url, prefix="a:") as one, linked(valkey_server.url, prefix="a:") as two:
        buckets = [RedisBucket(each.link, "default", alone(1 / 60)) for each in (one, two)]
        waits = [(await call(lambda bucket=bucket: bucket.take(HOUR))).wait for bucket in buckets * 2]  # type: ignore[misc]
        other = await call(lambda: RedisBucket(one.link, "second", alone(1)).take(HOUR))
    assert [round(wait / 60) for wait in waits] == [0, 1, 2, 3]
    assert other.wait == 0


async def test_without_redis_each_goes_on_by_itself(valkey_server: Server) -> None:
    async with linked(valkey_server.url, prefix="b:") as watched:
        bucket = RedisBucket(watched.link, "default", alone(1 / 60))
        watched.link.fall("a line is cut")
        waits = [(await call(lambda: bucket.take(HOUR))).wait for _ in range(2)]
        assert [round(wait / 60) for wait in waits] == [0, 1]
        assert watched.failures["take"] == 2
        await watched.up()
        assert (await call(lambda: bucket.take(HOUR))).wait == 0.0
