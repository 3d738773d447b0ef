"""Flights of several gateways over Redis: who leads, who waits, and what holds while Redis is away, empty or
full."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.errors import CallError
from gateway.landing import Landing
from gateway.policy.flight import State
from tests.stores.redis.fleet import PREFIX, Gateway, Platform, gateway, until
from tests.stores.redis.links import PATIENCE
from tests.valkey import Server

pytestmark = pytest.mark.anyio

LARGE = b'{"error":0,"x":"' + b"x" * 3000 + b'"}'


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def a(server: Server, platform: Platform) -> AsyncIterator[Gateway]:
    async with gateway(server, platform, "a") as running:
        yield running


@pytest.fixture
async def b(server: Server, platform: Platform) -> AsyncIterator[Gateway]:
    async with gateway(server, platform, "b") as running:
        yield running


async def one_leads_and_one_waits(leader: Gateway, follower: Gateway) -> "list[asyncio.Task[Landing]]":
    """Two identical calls, one through each."""
    leads = asyncio.ensure_future(leader.fly())
    await leader.platform.got(1)
    waits = asyncio.ensure_future(follower.fly())
    await until(lambda: len(follower.flights) == 1 and follower.store.followed == 1)
    return [leads, waits]


def given_up(gateway: Gateway) -> None:
    """What Redis and the others see of a gateway that was killed: it is not heard of any more."""
    link = gateway.watched.link
    link.fall("killed")
    link.on_recovery.insert(0, _never)


async def _never(_ask: object) -> None:
    await asyncio.Event().wait()


async def test_who_waits_at_another_gateway_is_woken_by_the_end(
    a: Gateway, b: Gateway, platform: Platform
) -> None:
    calls = await one_leads_and_one_waits(a, b)
    platform.answer()
    led, joined = [await asyncio.wait_for(each, PATIENCE) for each in calls]
    assert (led.role, joined.role) == ("led", "joined")
    assert led.outcome.reply == joined.outcome.reply
    assert platform.sent == ["a-1"]
    assert await b.remembers() is None


async def test_a_dead_leader_s_flight_is_led_again_under_its_id(
    a: Gateway, b: Gateway, server: Server, platform: Platform
) -> None:
    b.watched.link.recovered_at = float("-inf")  # long up
    calls = await one_leads_and_one_waits(a, b)
    given_up(a)
    server.client.delete(f"{PREFIX}a:{a.watched.link.instance}.0")
    await platform.got(2)
    platform.answer()
    await asyncio.wait_for(calls[1], PATIENCE)
    assert platform.sent == ["a-1", "a-1"]


async def test_without_redis_each_goes_on_under_the_same_id(
    a: Gateway, b: Gateway, server: Server, platform: Platform
) -> None:
    calls = await one_leads_and_one_waits(a, b)
    server.stop()
    await platform.got(2)  # who waited leads now, since nobody can tell it of the end
    assert platform.sent == ["a-1", "a-1"]
    platform.answer()
    for each in calls:
        landing = await asyncio.wait_for(each, PATIENCE)
        assert landing.outcome.reply is not None


async def test_without_redis_a_gateway_knows_its_own_repeats(
    a: Gateway, server: Server, platform: Platform
) -> None:
    server.stop()
    await a.watched.down()
    calls = [asyncio.ensure_future(a.fly()) for _ in range(20)]
    await platform.got(1)
    await until(lambda: len(a.flights) == 1)
    platform.answer()
    roles = sorted([(await asyncio.wait_for(each, PATIENCE)).role for each in calls])
    assert roles == ["joined"] * 19 + ["led"]
    assert platform.sent == ["a-1"]


async def test_where_writes_are_refused_without_redis_nothing_is_sent(
    server: Server, platform: Platform
) -> None:
    async with gateway(server, platform, "a", refuse=True) as a:
        server.stop()
        await a.watched.down()
        with pytest.raises(CallError) as refused:
            await a.fly()
    assert refused.value.kind.name == "store-away"
    assert platform.sent == []


async def test_what_goes_out_without_redis_is_known_to_all_once_it_is_back(
    a: Gateway, b: Gateway, server: Server, platform: Platform
) -> None:
    server.stop()
    await a.watched.down()
    leads = asyncio.ensure_future(a.fly())
    await platform.got(1)
    server.start()
    await a.watched.up()
    await b.watched.up()
    await until(lambda: server.client.exists(a.watched.link.keys.flight(b"f1")))
    waits = asyncio.ensure_future(b.fly())
    await until(lambda: b.store.followed == 1 or len(platform.sent) > 1)
    platform.answer()
    assert (await asyncio.wait_for(leads, PATIENCE)).role == "led"
    assert (await asyncio.wait_for(waits, PATIENCE)).role == "joined"
    assert platform.sent == ["a-1"]


async def test_after_a_flush_a_flight_that_is_out_is_told_again_and_who_waits_gets_its_end(
    a: Gateway, b: Gateway, server: Server, platform: Platform
) -> None:
    calls = await one_leads_and_one_waits(a, b)
    server.client.flushall()
    await a.watched.down()
    await a.watched.up()
    await until(lambda: server.client.keys(f"{PREFIX}f1:*"))
    await until(lambda: b.watched.link.is_up and len(b.flights) == 1)
    platform.answer()
    for each in calls:
        await asyncio.wait_for(each, PATIENCE)
    assert set(platform.sent) == {"a-1"}


async def test_without_memory_new_flights_go_out_alone_and_those_that_are_out_end_for_all(
    a: Gateway, b: Gateway, server: Server, platform: Platform
) -> None:
    calls = await one_leads_and_one_waits(a, b)
    server.client.config_set("maxmemory", 1)
    platform.answer()
    led, joined = [await asyncio.wait_for(each, PATIENCE) for each in calls]
    assert (led.role, joined.role) == ("led", "joined")
    assert platform.sent == ["a-1"]

    alone = asyncio.ensure_future(a.fly(b"f2", keyed=True))
    await platform.got(2)
    platform.answer()
    assert (await asyncio.wait_for(alone, PATIENCE)).role == "led"
    assert await b.remembers(b"f2") is None
    assert a.watched.failures["swap"] > 0

    server.client.config_set("maxmemory", 0)
    key = a.watched.link.keys.flight(b"f2")
    await until(lambda: server.client.exists(key))
    known = await b.remembers(b"f2")
    assert known is not None
    assert known.state is State.ANSWERED


async def test_where_writes_are_refused_without_memory_nothing_is_sent(
    server: Server, platform: Platform
) -> None:
    async with gateway(server, platform, "a", refuse=True) as a:
        server.client.config_set("maxmemory", 1)
        with pytest.raises(CallError) as refused:
            await a.fly()
    assert refused.value.kind.name == "store-away"
    assert platform.sent == []


async def test_an_answer_that_is_too_large_for_redis_is_asked_for_again_under_its_id(
    server: Server, platform: Platform
) -> None:
    size = 64 * 1024
    async with (
        gateway(server, platform, "a", max_bytes=size) as a,
        gateway(server, platform, "b", max_bytes=size) as b,
    ):
        calls = await one_leads_and_one_waits(a, b)
        platform.answer(LARGE)
        await platform.got(2)
        platform.answer(LARGE)
        led, joined = [await asyncio.wait_for(each, PATIENCE) for each in calls]
    assert led.outcome.reply == joined.outcome.reply
    assert platform.sent == ["a-1", "a-1"]


async def test_a_call_that_is_cancelled_while_it_boards_leaves_no_flight_behind(
    a: Gateway, b: Gateway, platform: Platform
) -> None:
    turns, sent = 0, False
    while not sent:
        boarding = asyncio.ensure_future(a.fly())
        for _ in range(turns):
            await asyncio.sleep(0)
        boarding.cancel()
        await asyncio.gather(boarding, return_exceptions=True)
        sent = bool(platform.sent)
        assert sent or await b.remembers() is None
        turns += 1
    assert turns > 2
    platform.answer()


async def test_answers_that_nobody_waits_for_take_no_room_in_a_gateway_for_good(
    a: Gateway, platform: Platform
) -> None:
    for number in range(200):
        flying = asyncio.ensure_future(a.fly(b"k%d" % number, keyed=True))
        await platform.got(number + 1)
        platform.answer()
        await asyncio.wait_for(flying, PATIENCE)
    assert a.store.known <= 64


async def test_what_cannot_be_read_is_as_good_as_nothing(
    a: Gateway, server: Server, platform: Platform
) -> None:
    key = a.watched.link.keys.flight(b"f1")
    server.client.hset(key, mapping={"s": b"x" * 14, "h": b"\xc1"})
    flying = asyncio.ensure_future(a.fly())
    await platform.got(1)
    platform.answer()
    assert (await asyncio.wait_for(flying, PATIENCE)).role == "led"
