"""gateway.protocol: an answer is written in the loop's next turn; what comes in between changes none of it.

Over real sockets, on uvloop as the gateway runs. What a whole gateway promises is in e2e/test_listener.py.
"""

import asyncio
import gc
import random
import re
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from uvicorn.server import ServerState

from gateway import errors
from gateway.call import Answer
from gateway.dataplane import Admitted
from gateway.exchange import Exchange
from gateway.head import CommonFields, Head
from gateway.known_heads import KnownHeads
from gateway.listener import ListenerLimits
from gateway.protocol import ListenerProtocol

pytestmark = pytest.mark.anyio

CALL = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENCE = 5.0
LIMITS = ListenerLimits(10, 16_000, 50, 5.0, 5.0, b"x-caller")

Serve = Callable[[Exchange], Awaitable[None]]
Between = Callable[[ListenerProtocol], object]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


def _admit(head: Head) -> Admitted:
    return cast(Admitted, SimpleNamespace(path=head.path, limit=1000))


@dataclass
class Calls:
    """Takes the place of the listener: answers each call with its number, and notes its exchange.

    `between` is done once, in the turn in which the first answer is handed out, before it is written.
    """

    early: bool = False  # before the body is whole
    at_once: bool = False  # where it can be, in the turn in which the call came
    between: Between | None = None
    limits: ListenerLimits = LIMITS
    common_fields: CommonFields = field(default_factory=CommonFields)
    heads: KnownHeads = field(default_factory=lambda: KnownHeads(_admit, 16_000))
    exchanges: list[Exchange] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    protocols: list[ListenerProtocol] = field(default_factory=list)

    def is_call(self, path: bytes) -> bool:
        return True

    def refusal(self, error: errors.CallError) -> Answer:
        return Answer(error.kind.status, b"text/plain", error.text.encode())

    def serve_at_once(self, exchange: Exchange, admitted: Admitted) -> bool:
        if not self.at_once:
            return False
        assert cast(Any, admitted).path == exchange.head.path
        self.exchanges.append(exchange)
        content = exchange.body_at_hand(1000)
        assert content is not None
        self.bodies.append(content)
        exchange.answer(200, b"", b"answer-%d" % len(self.exchanges))
        return True

    async def serve(self, exchange: Exchange, admitted: Admitted | None = None) -> None:
        self.exchanges.append(exchange)
        number = len(self.exchanges)
        if not self.early:
            try:
                self.bodies.append(await exchange.body(1000))
            except errors.CallError as error:
                exchange.answer(error.kind.status, b"", b"")
                return
        exchange.answer(200, b"", b"answer-%d" % number)
        between, self.between = self.between, None
        if between is not None:
            between(self.protocols[0])

    def protocol(self) -> ListenerProtocol:
        config = cast(Any, SimpleNamespace(loaded_app=self))
        self.protocols.append(ListenerProtocol(config, ServerState(), {}))
        return self.protocols[-1]


@asynccontextmanager
async def serving(calls: Calls) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A caller's connection to it."""
    server = await asyncio.get_running_loop().create_server(calls.protocol, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()


async def heard(calls: Calls, *sent: bytes) -> list[bytes]:
    """What the caller hears until its connection ends: answers by their number, refusals by their status."""
    async with serving(calls) as (reader, writer):
        for piece in sent:
            writer.write(piece)
        async with asyncio.timeout(PATIENCE):
            said = await reader.read(-1)
    return [status or answer for status, answer in re.findall(rb"HTTP/1.1 ([45]\d\d)|(answer-\d)", said)]


async def learned(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Two calls, so that their head is known."""
    for answer in (b"answer-1", b"answer-2"):
        writer.write(CALL)
        await reader.readuntil(answer)


async def soon(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("it never came")


def feeds(data: bytes) -> Between:
    return lambda protocol: protocol.data_received(data)


async def test_answers_keep_the_order_of_their_requests() -> None:
    last = CALL.replace(b"Host", b"Connection: close\r\nHost")
    assert await heard(Calls(), CALL * 2 + last) == [b"answer-1", b"answer-2", b"answer-3"]


@pytest.mark.parametrize("pipelined", [1, 2])
async def test_what_is_no_http_is_refused_behind_the_answers_that_wait_to_be_written(pipelined: int) -> None:
    calls = Calls(between=feeds(b"\0garbage\r\n\r\n"))
    answers = [b"answer-%d" % number for number in range(1, pipelined + 1)]
    assert await heard(calls, CALL * pipelined) == [*answers, b"400"]


async def test_an_answer_goes_out_although_the_rest_of_its_body_is_broken() -> None:
    assert await heard(Calls(early=True, between=feeds(b"zz\r\n")), CHUNKED) == [b"answer-1"]


async def test_an_answer_goes_out_when_the_gateway_ends_in_between() -> None:
    assert await heard(Calls(between=ListenerProtocol.shutdown), CALL) == [b"answer-1"]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("seed", range(20))
async def test_heads_that_are_known_change_nothing_however_requests_are_cut(seed: int, at_once: bool) -> None:
    """Against what the same requests are, sent one by one."""
    chance = random.Random(seed)
    bodies = [chance.choice((b"{}", b"[]", b"", b"{ }")) for _ in range(60)]
    requests = [
        b"POST /%b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
        % (chance.choice((b"a", b"b")), len(body), body)
        for body in bodies
    ]
    calls = Calls(at_once=at_once)
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        waiting = 0
        for number, request in enumerate(requests, 1):
            cut = chance.choice((0, 0, 0, len(request) // 2, len(request) - 1))
            for piece in (request[:cut], request[cut:]):
                if piece:
                    writer.write(piece)
                    await asyncio.sleep(0)
            waiting += 1
            if chance.random() < 0.7:  # else the next one comes before this one's answer
                for answered in range(number - waiting + 1, number + 1):
                    said = await reader.readuntil(b"answer-%d" % answered)
                    assert said.count(b"HTTP/1.1 200") == 1
                waiting = 0
        for answered in range(len(requests) - waiting + 1, len(requests) + 1):
            await reader.readuntil(b"answer-%d" % answered)
    assert calls.bodies == bodies
    assert [exchange.head.path for exchange in calls.exchanges] == [
        request.split(b" ")[1] for request in requests
    ]
    assert len(calls.heads) == 2  # whatever the lengths


async def test_a_body_that_does_not_follow_a_known_head_is_not_waited_for_for_ever() -> None:
    calls = Calls(limits=replace(LIMITS, body_timeout=0.05))
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        await learned(reader, writer)
        writer.write(CALL[:-1])
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 408 ")
    assert [len(calls.exchanges), len(calls.heads)] == [3, 1]


async def test_who_leaves_behind_a_known_head_is_known_to_be_gone() -> None:
    calls = Calls()
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        await learned(reader, writer)
        writer.write(CALL[:-1])
        await soon(lambda: len(calls.exchanges) == 3)
    await soon(lambda: calls.exchanges[2].presence.is_gone)


async def test_what_comes_behind_a_known_head_is_answered_though_the_gateway_ends() -> None:
    calls = Calls()
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        await learned(reader, writer)
        writer.write(CALL[:-1])
        await soon(lambda: len(calls.exchanges) == 3)
        calls.protocols[0].shutdown()
        writer.write(CALL[-1:])
        said = await reader.read(-1)
    assert said.endswith(b"answer-3")
    assert b"connection: close" in said


async def test_a_call_whose_head_is_known_is_under_way_before_its_body_has_come() -> None:
    """So it is counted, refused by the guard, and bound to the rules that hold when its head comes."""
    calls = Calls(early=True)
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        await learned(reader, writer)
        writer.write(CALL[:-1])
        await reader.readuntil(b"answer-3")
        assert not calls.exchanges[2].is_whole


async def test_blank_lines_behind_bodies_are_no_head_however_many() -> None:
    calls = Calls(limits=replace(LIMITS, header_bytes=200))
    async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
        for number in range(1, 301):
            writer.write(CALL)
            await reader.readuntil(b"answer-%d" % number)
            writer.write(b"\r\n")
            await asyncio.sleep(0)


async def test_what_comes_behind_a_known_head_that_was_to_be_the_last_costs_nobody_an_answer() -> None:
    """It is not taken for a request; the connection stays until its caller has read."""
    last = CALL.replace(b"Host", b"Connection: close\r\nHost")
    for rest in (CALL, b"garbage"):
        calls = Calls()
        for _ in range(2):
            await heard(calls, last)
        async with serving(calls) as (reader, writer), asyncio.timeout(PATIENCE):
            writer.write(last[:-1])
            await soon(lambda calls=calls: len(calls.exchanges) == 3)  # type: ignore[misc]
            writer.write(last[-1:] + rest)
            said = await reader.read(-1)
            assert not calls.protocols[-1]._transport.is_closing()
        assert said.endswith(b"answer-3")
        assert len(calls.exchanges) == 3


async def test_a_known_head_that_ends_its_connection_ends_it() -> None:
    last = CALL.replace(b"Host", b"Connection: close\r\nHost")
    for at_once in (False, True):
        calls = Calls(at_once=at_once)
        for _ in range(3):
            assert await heard(calls, last) == [b"answer-%d" % len(calls.exchanges)]
        assert len(calls.heads) == 1


async def test_a_request_that_comes_in_between_is_answered_next() -> None:
    last = CALL.replace(b"Host", b"Connection: close\r\nHost")
    assert await heard(Calls(between=feeds(last)), CALL) == [b"answer-1", b"answer-2"]


async def test_who_is_lost_before_the_answer_is_written_is_known_to_be_gone() -> None:
    calls = Calls(between=lambda protocol: protocol._transport.abort())
    assert await heard(calls, CALL) == []
    assert calls.exchanges[0].presence.is_gone


async def test_a_connection_that_has_ended_leaves_nothing_for_the_collector() -> None:
    """Which looks seldom: thousands of connections would wait for it."""
    calls = Calls()
    last = CALL.replace(b"Host", b"Connection: close\r\nHost")
    gc.collect()
    gc.disable()
    try:
        assert await heard(calls, CALL + last) == [b"answer-1", b"answer-2"]
        left = weakref.ref(calls.protocols.pop())
        calls.exchanges.clear()
        for _ in range(10):
            await asyncio.sleep(0)
        assert left() is None
    finally:
        gc.enable()
