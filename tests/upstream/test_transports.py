"""Both transports are built from the same options and understand the same extensions."""

import asyncio
import math

import httpx
import pytest

from gateway.upstream.builtin.route import JOINED_AT_ONCE
from gateway.upstream.builtin.transport import BuiltinTransport
from gateway.upstream.extensions import HEAD, Body
from gateway.upstream.failures import kind_of, was_written
from gateway.upstream.httpx_transport import HttpxTransport
from gateway.upstream.options import TransportOptions
from gateway.upstream.transports import TransportName, build
from gateway.upstream.wire import Destination
from tests.upstream.transport.calls import body_of, transport
from tests.upstream.transport.peer import Talk, echo, sending, serving

pytestmark = pytest.mark.anyio


async def test_the_setting_names_the_class() -> None:
    assert type(build("builtin", TransportOptions())) is BuiltinTransport
    assert type(build("httpx", TransportOptions())) is HttpxTransport


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
async def test_a_prebuilt_head_is_what_the_peer_gets(kind: TransportName) -> None:
    head = (
        b"POST /api/v1.1/x HTTP/1.1\r\nHost: platform.test\r\nRequest-ID: a:b\r\nAccept: application/json\r\n"
    )
    async with serving(echo) as peer, transport(kind) as over:
        request = httpx.Request("POST", peer.url, stream=Body(b"abc"), extensions={HEAD: head})
        assert body_of(await over.handle_async_request(request)) == b"abc"
        assert peer.requests[0].head == head + b"Content-Length: 3\r\n\r\n"


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
@pytest.mark.parametrize("size", [0, 3, 100_000], ids=["empty", "small", "in a write of its own"])
async def test_a_call_is_sent_and_answered_to_the_byte(kind: TransportName, size: int) -> None:
    head = b"POST /api/v1.1/x HTTP/1.1\r\nHost: platform.test\r\nRequest-ID: a:b\r\n"
    async with serving(echo) as peer, transport(kind) as over:
        to = Destination.of(httpx.URL(peer.url))
        reply = await over.call(to, head, b"x" * size, modifies=True, deadline=math.inf)
        assert reply.status == 200
        assert reply.body == b"x" * size
        assert [value for name, value in reply.headers if name.lower() == b"content-length"] == [b"%d" % size]
        assert peer.requests[0].head == head + b"Content-Length: %d\r\n\r\n" % size


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
async def test_a_large_reply_keeps_its_own_head_while_the_next_call_has_its_connection(
    kind: TransportName,
) -> None:
    """Its pieces are joined in a thread, and the connection is free by then."""
    size = 3 * JOINED_AT_ONCE

    async def reply(talk: Talk) -> None:
        while True:
            if (await talk.request()).body == b"large":
                await talk.answer(b"x" * size, b"Who: large\r\n")
            else:
                await talk.send(b"HTTP/1.1 503 Busy\r\nWho: small\r\nContent-Length: 1\r\n\r\nx")

    async with serving(reply) as peer, transport(kind, max_connections=1) as over:
        to = Destination.of(httpx.URL(peer.url))

        async def call(body: bytes) -> tuple[int, bytes, int]:
            head = b"POST / HTTP/1.1\r\nHost: a\r\n"
            got = await over.call(to, head, body, modifies=True, deadline=math.inf)
            return got.status, dict(got.headers)[b"Who"], len(got.body)

        for _ in range(5):
            answers = await asyncio.gather(call(b"large"), call(b"small"))
            assert tuple(answers) == ((200, b"large", size), (503, b"small", 1))


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
async def test_a_call_ends_by_its_deadline(kind: TransportName) -> None:
    async with serving(sending()) as peer, transport(kind, first_byte_timeout=0.3) as over:
        deadline = asyncio.get_running_loop().time() + 0.05
        to = Destination.of(httpx.URL(peer.url))
        with pytest.raises(httpx.ReadTimeout) as late:
            await over.call(to, b"POST / HTTP/1.1\r\nHost: a\r\n", b"", modifies=True, deadline=deadline)
        assert kind_of(late.value) == "timeout"
        assert was_written(late.value)


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
async def test_a_request_needs_no_headers_of_its_own(kind: TransportName) -> None:
    async with serving(echo) as peer, transport(kind) as over:
        request = httpx.Request("POST", peer.url, stream=Body(b"abc"))
        assert body_of(await over.handle_async_request(request)) == b"abc"
        origin = httpx.URL(peer.url).netloc.decode()
        assert peer.requests[0].header("host") == [origin]
        assert peer.requests[0].header("content-length") == ["3"]


@pytest.mark.parametrize("kind", ["builtin", "httpx"])
async def test_a_transport_can_be_closed_twice_and_without_use(kind: TransportName) -> None:
    made = build(kind, TransportOptions())
    await made.aclose()
    await made.aclose()
    assert made.stats().active == 0
