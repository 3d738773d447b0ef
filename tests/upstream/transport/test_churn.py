"""Callers that give up, in crowds, while others wait: the pool loses nothing by it."""

import asyncio
import random

import httpx
import pytest

from gateway.upstream.failures import was_written
from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import Transport, body_of, post, state, transport, until
from tests.upstream.transport.peer import Peer, Talk, serving

pytestmark = pytest.mark.anyio

SLOTS = 10


class LazyEcho:
    """Takes a few milliseconds for most answers and much longer for some; knows what has arrived."""

    def __init__(self) -> None:
        self.arrived: set[bytes] = set()

    async def __call__(self, talk: Talk) -> None:
        chance = random.Random(1)
        while True:
            body = (await talk.request()).body
            self.arrived.add(body)
            await asyncio.sleep(0.2 if chance.random() < 0.05 else 0.002)
            await talk.answer(body)


async def give_up(over: Transport, url: str, chance: random.Random, body: bytes) -> Exception | None:
    """One call that is cancelled, runs into one of its times, or is answered; each is likely. Its error."""
    loop = asyncio.get_running_loop()
    terms: dict[str, object] = {"modifies": chance.random() < 0.5}
    way = chance.choice(["cancel", "cancel", "pool", "deadline", "stay"])
    if way == "pool":
        terms["timeout"] = {"pool": chance.random() * 0.01}
    if way == "deadline":
        terms["deadline"] = loop.time() + chance.random() * 0.02
    call = asyncio.create_task(post(over, url, body, **terms))
    if way == "cancel":
        loop.call_later(chance.random() * 0.02, call.cancel)
    await asyncio.wait([call])
    if call.cancelled():
        return None
    error = call.exception()
    if error is None:
        assert body_of(call.result()) == body
        return None
    assert isinstance(error, httpx.PoolTimeout | httpx.ReadTimeout | httpx.ConnectTimeout)
    return error


async def churn(kind: TransportName, *, seconds: float, calls: int) -> None:
    """Forty callers for ten slots until the time or the calls are used up, then ten calls at once."""
    chance = random.Random(7)
    numbers = iter(range(calls))
    echo = LazyEcho()
    async with (
        serving(echo) as peer,
        transport(kind, max_connections=SLOTS, first_byte_timeout=1.0) as over,
    ):
        end = asyncio.get_running_loop().time() + seconds

        async def caller() -> None:
            for number in numbers:
                body = b"%d" % number
                error = await give_up(over, peer.url, chance, body)
                if error is not None and not was_written(error):
                    assert body not in echo.arrived
                if asyncio.get_running_loop().time() > end:
                    return

        await asyncio.gather(*(caller() for _ in range(40)))
        await until(lambda: state(over)[0] == 0)  # httpx's transport finishes what its callers have left
        await meet(over, peer)


async def meet(over: Transport, peer: Peer) -> None:
    """As many calls as there are slots, answered when all have arrived."""
    meeting = asyncio.Barrier(SLOTS)

    async def wait_for_all(talk: Talk) -> None:
        while True:
            seen = await talk.request()
            await meeting.wait()
            await talk.answer(seen.body)

    for talk in peer.talks:
        talk.cut()
    await peer.until_open(0)
    peer.script = wait_for_all
    replies = await asyncio.gather(*(post(over, peer.url, b"%d" % n, modifies=False) for n in range(SLOTS)))
    assert [body_of(reply) for reply in replies] == [b"%d" % n for n in range(SLOTS)]
    assert state(over) == (0, SLOTS, 0)


async def test_no_slot_is_lost_by_calls_that_give_up_under_contention(kind: TransportName) -> None:
    await churn(kind, seconds=60, calls=600)


@pytest.mark.full
async def test_no_slot_is_lost_in_four_seconds_of_giving_up_under_contention(kind: TransportName) -> None:
    await churn(kind, seconds=4, calls=1_000_000)
