"""One connection that all calls share: replies in the order of questions, none taken for another's."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import StoreAwayError
from gateway.stores.redis.connection import Connection, trouble

pytestmark = pytest.mark.anyio

PATIENCE = 20.0


@dataclass
class Far:
    """The far end, which says what a test tells it to."""

    connection: Connection
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pushed: list[Any] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def connected() -> AsyncIterator[Far]:
    accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    accepted = asyncio.get_running_loop().create_future()
    pushed, lost = list[Any](), asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    connection = Connection(pushed.append, lambda _: lost.set())
    await asyncio.get_running_loop().create_connection(lambda: connection, host, port)
    reader, writer = await accepted
    try:
        yield Far(connection, reader, writer, pushed, lost)
    finally:
        connection.close()
        writer.close()
        server.close()


async def test_questions_of_one_turn_go_out_together_and_replies_come_in_their_order() -> None:
    async with connected() as far:
        replies = [far.connection.ask((b"ECHO", number)) for number in range(3)]
        sent = await far.reader.readuntil(b"$1\r\n2\r\n")
        assert sent.count(b"ECHO") == 3
        far.writer.write(b":0\r\n:1\r\n-ERR no\r\n")
        found = await asyncio.gather(*replies)
    assert [str(reply) for reply in found] == ["0", "1", "ERR no"]


async def test_what_is_said_unasked_is_no_reply() -> None:
    async with connected() as far:
        reply = far.connection.ask((b"GET", b"key"))
        far.writer.write(b">3\r\n$7\r\nmessage\r\n$1\r\nw\r\n$2\r\nid\r\n+the reply\r\n")
        assert await asyncio.wait_for(reply, PATIENCE) == b"the reply"
        assert far.pushed == [[b"message", b"w", b"id"]]


async def test_a_reply_that_nobody_waits_for_any_more_is_not_the_next_one_s() -> None:
    async with connected() as far:
        gone, there = far.connection.ask((b"GET", b"a")), far.connection.ask((b"GET", b"b"))
        gone.cancel()
        far.writer.write(b"+a\r\n+b\r\n")
        assert await asyncio.wait_for(there, PATIENCE) == b"b"


@pytest.mark.parametrize(
    "said",
    [pytest.param(b"+nobody asked\r\n", id="no question"), pytest.param(b"HTTP/1.1 400\r\n", id="HTTP")],
)
async def test_a_far_end_that_makes_no_sense_is_left(said: bytes) -> None:
    async with connected() as far:
        far.writer.write(said)
        await asyncio.wait_for(far.lost.wait(), PATIENCE)


async def test_a_loss_leaves_the_questions_without_a_reply_to_be_asked_elsewhere() -> None:
    async with connected() as far:
        replies = [far.connection.ask((b"GET", b"%d" % number)) for number in range(3)]
        await far.reader.readuntil(b"$1\r\n2\r\n")
        far.writer.write(b"+first\r\n")
        await asyncio.wait_for(replies[0], PATIENCE)
        far.writer.transport.abort()
        await asyncio.wait_for(far.lost.wait(), PATIENCE)
        assert [waiting.command for waiting in far.connection.waiting] == [(b"GET", b"1"), (b"GET", b"2")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "Connection refused"),
        (FileNotFoundError(errno.ENOENT, "x"), "No such file or directory"),
        (TimeoutError(), "it does not answer in time"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "its name cannot be resolved"),
        (ssl.SSLCertVerificationError(1, "x"), "there is no trusted TLS connection to it"),
        (StoreAwayError("it refuses: NOAUTH"), "it refuses: NOAUTH"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_why_there_is_no_connection_is_said_in_words(error: Exception, said: str) -> None:
    assert trouble(error) == said
