"""A caller that leaves, wherever a call can wait: the slot comes back, and nothing is reused half-read."""

import asyncio
import ssl

import httpx
import pytest

from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import body_of, post, state, transport, until
from tests.upstream.transport.peer import OK, Talk, echo, sending, serving

pytestmark = pytest.mark.anyio


async def cancel(call: "asyncio.Task[httpx.Response]") -> None:
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_while_it_waits_for_a_slot(kind: TransportName) -> None:
    async with serving(sending()) as peer, transport(kind, max_connections=1, first_byte_timeout=0.3) as over:
        first = asyncio.create_task(post(over, peer.url))
        await peer.until_open(1)
        second = asyncio.create_task(post(over, peer.url))
        await until(lambda: state(over) == (1, 0, 1))
        await cancel(second)
        assert state(over) == (1, 0, 0)
        await cancel(first)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"


async def test_while_it_connects(kind: TransportName) -> None:
    """The peer takes the connection and never answers the TLS hello."""

    async def mute(talk: Talk) -> None:
        await talk.freeze()

    context = ssl.create_default_context()
    options = {"max_connections": 1, "connect_timeout": 0.3, "ssl_context": context}
    async with serving(mute) as peer, transport(kind, **options) as over:
        call = asyncio.create_task(post(over, peer.url.replace("http://", "https://")))
        await peer.until_open(1)
        assert state(over) == (1, 0, 0)
        await cancel(call)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"


@pytest.mark.parametrize(
    "sent", [b"", OK[:20], OK[:-1]], ids=["before the head", "in the head", "in the body"]
)
async def test_while_it_waits_for_the_reply(kind: TransportName, sent: bytes) -> None:
    """The reply to the call that was left must not become the next one's."""

    async def late(talk: Talk) -> None:
        await talk.request()
        await talk.send(sent)
        await gate.wait()
        await talk.send(OK[len(sent) :])
        await echo(talk)

    gate = asyncio.Event()
    async with serving(late) as peer, transport(kind, max_connections=1) as over:
        call = asyncio.create_task(post(over, peer.url))
        await peer.until_open(1)
        await until(lambda: len(peer.requests) == 1)
        await cancel(call)
        peer.script = echo
        gate.set()
        assert body_of(await post(over, peer.url, b"next")) == b"next"
        assert state(over) == (0, 1, 0)
        await peer.until_open(1)  # the connection that was left is closed


async def test_while_the_request_is_still_being_written(kind: TransportName) -> None:
    async def deaf(talk: Talk) -> None:
        await talk.head()
        await talk.freeze()

    async with serving(deaf) as peer, transport(kind, max_connections=1, first_byte_timeout=0.3) as over:
        call = asyncio.create_task(post(over, peer.url, b"a" * 10_000_000))
        await peer.until_open(1)
        await cancel(call)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"


async def test_while_a_slot_is_being_handed_over() -> None:
    """The slot and the cancellation reach the waiting call in the same turn of the loop."""
    gate = asyncio.Event()

    async def gated(talk: Talk) -> None:
        await talk.request()
        await gate.wait()
        await talk.send(OK)
        await echo(talk)

    async with serving(gated) as peer, transport("builtin", max_connections=1) as over:

        async def first_call() -> None:
            await post(over, peer.url)
            second.cancel()  # its slot was handed to it just now, and it has not yet woken

        first = asyncio.create_task(first_call())
        await peer.until_open(1)
        second = asyncio.create_task(post(over, peer.url, b"second"))
        third = asyncio.create_task(post(over, peer.url, b"third"))
        await until(lambda: state(over) == (1, 0, 2))
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await second
        await first
        assert body_of(await third) == b"third"
        assert [seen.body for seen in peer.requests] == [b"{}", b"third"]
        assert state(over) == (0, 1, 0)


async def test_at_every_turn_of_the_loop_from_the_first_to_the_last() -> None:
    """A call takes some number of turns; it is cancelled after one, after two, until it is too late."""
    async with serving(echo) as peer, transport("builtin", max_connections=1) as over:
        finished = 0
        for turns in range(200):
            call = asyncio.create_task(post(over, peer.url, b"%d" % turns))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
            finished += not call.cancelled()
            assert state(over) in {(0, 0, 0), (0, 1, 0)}
            assert body_of(await post(over, peer.url, b"next")) == b"next"
        assert 0 < finished < 200
