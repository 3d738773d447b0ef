"""A reply handed out at its head, its body pulled by the reader."""

import asyncio

import httpx
import pytest

from gateway.upstream.extensions import BODY
from gateway.upstream.failures import kind_of, was_written
from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import body_of, post, state, transport, until
from tests.upstream.transport.peer import OK, Script, Talk, echo, sending, serving

pytestmark = pytest.mark.anyio

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


async def read(response: httpx.Response) -> bytes:
    return b"".join([piece async for piece in response.aiter_raw()])


async def test_the_head_comes_before_the_body(kind: TransportName) -> None:
    gate = asyncio.Event()

    async def halting(talk: Talk) -> None:
        await talk.request()
        await talk.send(LONG + b"01234")
        await gate.wait()
        await talk.send(b"56789")
        await talk.stall()

    async with serving(halting) as peer, transport(kind) as over:
        response = await post(over, peer.url, stream=True)
        assert (response.status_code, BODY in response.extensions) == (200, False)
        assert state(over) == (1, 0, 0)
        gate.set()
        assert await read(response) == b"0123456789"
        await response.aclose()
        assert state(over) == (0, 1, 0)


STREAMED: dict[str, Script] = {
    "by length": sending(LONG + b"0123456789"),
    "chunked": sending(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"4\r\n0123\r\n",
        b"6\r\n456789\r\n0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("script", STREAMED.values(), ids=STREAMED.keys())
async def test_both_framings_are_streamed(kind: TransportName, script: Script) -> None:
    async with serving(script) as peer, transport(kind) as over:
        response = await post(over, peer.url, stream=True)
        assert await read(response) == b"0123456789"
        await response.aclose()
        assert state(over) == (0, 1, 0)


async def test_a_streamed_reply_may_be_larger_than_a_buffered_one(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind, reply_bytes=1000) as over:
        response = await post(over, peer.url, b"a" * 5000, stream=True)
        assert await read(response) == b"a" * 5000
        await response.aclose()


async def test_a_slow_reader_slows_the_peer_down() -> None:
    """The peer cannot get 60 MB into a connection whose reader waits."""
    sent = 0

    async def flood(talk: Talk) -> None:
        nonlocal sent
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
        while sent < 60_000_000:
            await talk.send(b"a" * 100_000)
            sent += 100_000

    async with serving(flood) as peer, transport("builtin", first_byte_timeout=0.1) as over:
        response = await post(over, peer.url, stream=True)
        await asyncio.sleep(0.3)  # longer than the peer may be silent: this silence is the reader's
        assert sent < 30_000_000
        assert len(await read(response)) == 60_000_000
        await response.aclose()


async def test_a_reader_that_leaves_costs_the_connection(kind: TransportName) -> None:
    async with serving(sending(LONG + b"01234")) as peer, transport(kind) as over:
        response = await post(over, peer.url, stream=True)
        await response.aclose()
        assert state(over) == (0, 0, 0)
        await peer.until_open(0)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"


async def test_a_reader_that_was_cancelled_gives_the_slot_back_by_closing(kind: TransportName) -> None:
    async with serving(sending(LONG + b"01234")) as peer, transport(kind, max_connections=1) as over:
        response = await post(over, peer.url, stream=True)
        reading = asyncio.create_task(read(response))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        await response.aclose()
        assert state(over) == (0, 0, 0)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"


async def test_a_body_that_breaks_off_is_an_error_not_an_end(kind: TransportName) -> None:
    async def break_off(talk: Talk) -> None:
        await talk.request()
        await talk.send(LONG + b"01234")

    async with serving(break_off) as peer, transport(kind) as over:
        response = await post(over, peer.url, stream=True)
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await read(response)
        assert (kind_of(caught.value), was_written(caught.value)) == ("reset", True)
        await response.aclose()
        assert state(over) == (0, 0, 0)


async def test_a_body_that_stalls_is_a_timeout(kind: TransportName) -> None:
    async with serving(sending(LONG + b"01234")) as peer, transport(kind, first_byte_timeout=0.02) as over:
        response = await post(over, peer.url, stream=True)
        with pytest.raises(httpx.ReadTimeout):
            await read(response)
        await response.aclose()
        assert state(over) == (0, 0, 0)


async def test_the_deadline_holds_for_the_body_too() -> None:
    loop = asyncio.get_running_loop()
    async with serving(sending(LONG + b"01234")) as peer, transport("builtin") as over:
        response = await post(over, peer.url, stream=True, deadline=loop.time() + 0.05)
        with pytest.raises(httpx.ReadTimeout, match="deadline"):
            await read(response)
        await response.aclose()
        assert state(over) == (0, 0, 0)


async def test_a_caller_that_leaves_before_the_head_leaves_no_open_stream(kind: TransportName) -> None:
    gate = asyncio.Event()

    async def late(talk: Talk) -> None:
        await talk.request()
        await gate.wait()
        await talk.send(OK)
        await talk.stall()

    async with serving(late) as peer, transport(kind, max_connections=1) as over:
        call = asyncio.create_task(post(over, peer.url, stream=True))
        await peer.until_open(1)
        await until(lambda: len(peer.requests) == 1)
        call.cancel()
        await asyncio.wait([call])
        gate.set()
        peer.script = echo
        assert body_of(await post(over, peer.url, b"next")) == b"next"
