"""A peer that breaks off, stalls or talks nonsense: the error, written or not, and the pool afterwards."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest

from gateway.upstream.failures import Kind, kind_of, was_written
from gateway.upstream.transports import TransportName
from tests.upstream.transport.calls import body_of, post, state, transport
from tests.upstream.transport.peer import Script, Talk, echo, sending, serving

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def closing(sent: bytes) -> Script:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(sent)

    return script


def resetting(sent: bytes) -> Script:
    async def script(talk: Talk) -> None:
        await talk.request()
        await talk.send(sent)
        talk.reset()

    return script


async def reset_at_once(talk: Talk) -> None:
    """A reset while the request is still unread."""
    await talk.head()
    talk.reset()


Outcome = tuple[type[httpx.TransportError], Kind]


@dataclass(frozen=True)
class Fault:
    """What the peer does, and what the caller is told.

    `by_httpx` is what httpx's own transport tells instead, a body where it takes the reply for a good one.
    """

    script: Script
    told: Outcome
    by_httpx: Outcome | bytes | None = None


HUNG_UP: Outcome = (httpx.RemoteProtocolError, "reset")
RESET: Outcome = (httpx.ReadError, "reset")
BROKEN: Outcome = (httpx.RemoteProtocolError, "protocol")

FAULTS: dict[str, Fault] = {
    "closed before the head": Fault(closing(b""), HUNG_UP),
    "closed in the status line": Fault(closing(b"HTTP/1.1 2"), HUNG_UP),
    "closed in the head": Fault(closing(HEAD[:-4]), HUNG_UP),
    "closed in the body": Fault(closing(HEAD + b"abc"), HUNG_UP),
    "closed in a chunk": Fault(closing(CHUNKED + b"5\r\nabc"), HUNG_UP),
    "closed before the last chunk": Fault(closing(CHUNKED + b"3\r\nabc\r\n"), HUNG_UP),
    "closed after an interim reply": Fault(closing(b"HTTP/1.1 100 Continue\r\n\r\n"), HUNG_UP),
    "reset before the head": Fault(resetting(b""), RESET),
    "reset before the request was read": Fault(reset_at_once, RESET),
    "reset in the head": Fault(resetting(HEAD[:-4]), RESET),
    "reset in the body": Fault(resetting(HEAD + b"abc"), RESET),
    "reset in a chunk": Fault(resetting(CHUNKED + b"5\r\nabc"), RESET),
    "garbage": Fault(sending(b"garbage in a line\r\n\r\n"), BROKEN),
    "a page without a head": Fault(closing(b"<html>busy</html>"), BROKEN, HUNG_UP),
    "both framings, length first": Fault(
        sending(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
        BROKEN,
        by_httpx=b"abc",
    ),
    "two lengths": Fault(
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), BROKEN
    ),
    "a negative length": Fault(sending(b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc"), BROKEN),
    "another transfer coding": Fault(
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc"), BROKEN
    ),
    "a coding in front of chunked": Fault(
        sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), BROKEN
    ),
    "a chunk size that is no number": Fault(sending(CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n"), BROKEN),
    "a chunk size with a sign": Fault(sending(CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n"), BROKEN),
    "a chunk size with a prefix": Fault(sending(CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"), BROKEN),
    "a chunk size beyond 64 bits": Fault(closing(CHUNKED + b"fffffffffffffffff\r\nabc"), BROKEN, HUNG_UP),
    "a chunk longer than its size": Fault(sending(CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n"), BROKEN),
    "a switch of protocols": Fault(
        sending(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), BROKEN
    ),
    "a status below 100": Fault(sending(b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"), BROKEN),
    "a status above 599": Fault(
        sending(b"HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n"), BROKEN, by_httpx=b""
    ),
    "an endless header": Fault(sending(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000), BROKEN),
    "endless headers": Fault(sending(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 50_000), BROKEN),
    "endless interim replies": Fault(closing(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000), BROKEN, HUNG_UP),
    "a head over its limit": Fault(
        sending(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\nContent-Length: 0\r\n\r\n"), BROKEN
    ),
    "more headers than allowed": Fault(
        sending(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 101 + b"Content-Length: 0\r\n\r\n"), BROKEN
    ),
    "endless trailers": Fault(sending(CHUNKED + b"0\r\n", *[b"X: a\r\n" * 10_000] * 20), BROKEN),
    "a length over the limit": Fault(
        sending(b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n" + b"a" * 100_001), BROKEN
    ),
    "chunks over the limit": Fault(sending(CHUNKED + b"1000\r\n%b\r\n" % (b"a" * 4096) * 30), BROKEN),
}

STALLS: dict[str, Script] = {
    "before the head": sending(),
    "in the head": sending(HEAD[:-4]),
    "in the body": sending(HEAD + b"abc"),
    "in a chunk": sending(CHUNKED + b"5\r\nabc"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_is_named_counted_as_written_and_leaves_the_pool_clean(
    kind: TransportName, fault: Fault
) -> None:
    told = fault.by_httpx if kind == "httpx" and fault.by_httpx is not None else fault.told
    async with serving(fault.script) as peer, transport(kind, reply_bytes=100_000) as over:
        if isinstance(told, bytes):
            assert body_of(await post(over, peer.url)) == told
            return
        with pytest.raises(httpx.TransportError) as caught:
            await post(over, peer.url)
        assert (type(caught.value), kind_of(caught.value)) == told
        assert was_written(caught.value)
        assert state(over) == (0, 0, 0)
        await peer.until_open(0)
        peer.script = echo
        assert body_of(await post(over, peer.url, b"again")) == b"again"


@pytest.mark.parametrize("script", STALLS.values(), ids=STALLS.keys())
async def test_silence_longer_than_allowed_is_a_timeout(kind: TransportName, script: Script) -> None:
    async with serving(script) as peer, transport(kind, first_byte_timeout=0.02) as over:
        with pytest.raises(httpx.ReadTimeout) as caught:
            await post(over, peer.url)
        assert (kind_of(caught.value), was_written(caught.value)) == ("timeout", True)
        assert state(over) == (0, 0, 0)
        await peer.until_open(0)


@pytest.mark.parametrize("script", STALLS.values(), ids=STALLS.keys())
async def test_the_deadline_ends_a_call_that_still_waits(script: Script) -> None:
    loop = asyncio.get_running_loop()
    async with serving(script) as peer, transport("builtin") as over:
        with pytest.raises(httpx.ReadTimeout, match="deadline") as caught:
            await post(over, peer.url, deadline=loop.time() + 0.2)
        assert (kind_of(caught.value), was_written(caught.value)) == ("timeout", True)
        assert state(over) == (0, 0, 0)
        await peer.until_open(0)


async def test_a_peer_that_drips_is_ended_by_the_deadline(kind: TransportName) -> None:
    async def drip(talk: Talk) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            await talk.send(b"a")
            await asyncio.sleep(0.002)

    loop = asyncio.get_running_loop()
    async with serving(drip) as peer, transport(kind, first_byte_timeout=0.5) as over:
        with pytest.raises(httpx.ReadTimeout, match="deadline"):
            await post(over, peer.url, deadline=loop.time() + 0.05)
        await peer.until_open(0)
        assert state(over) == (0, 0, 0)


async def test_a_peer_that_stops_reading_is_a_write_timeout(kind: TransportName) -> None:
    async def deaf(talk: Talk) -> None:
        await talk.head()
        await talk.freeze()

    async with serving(deaf) as peer, transport(kind, first_byte_timeout=0.05) as over:
        with pytest.raises(httpx.WriteTimeout) as caught:
            await post(over, peer.url, b"a" * 10_000_000)
        assert (kind_of(caught.value), was_written(caught.value)) == ("timeout", True)
        assert state(over) == (0, 0, 0)


@pytest.mark.parametrize("ends_by", ["fin", "rst"])
async def test_a_peer_that_ends_every_connection_at_once_is_an_error_and_no_hang(ends_by: str) -> None:
    """The end may arrive before the call is written or after: written or not, it is said, and truly."""

    async def end(talk: Talk) -> None:
        if ends_by == "rst":
            talk.reset()

    async with serving(end) as peer, transport("builtin", max_connections=2) as over:
        outcomes = await asyncio.gather(*(post(over, peer.url) for _ in range(50)), return_exceptions=True)
        for error in outcomes:
            assert isinstance(error, httpx.ConnectError | httpx.ReadError | httpx.RemoteProtocolError)
            assert was_written(error) is not isinstance(error, httpx.ConnectError)
        assert state(over) == (0, 0, 0)


async def test_a_call_may_allow_less_silence_than_the_transport(kind: TransportName) -> None:
    async with serving(sending()) as peer, transport(kind) as over:
        with pytest.raises(httpx.ReadTimeout):
            await post(over, peer.url, timeout={"read": 0.02})
        assert state(over) == (0, 0, 0)
