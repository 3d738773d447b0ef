"""A server for tests that does what it is told, however wrong: each connection follows a script.

It shares no code with the gateway. A script is a coroutine function that gets the connection's `Talk`; when
it returns, the connection is closed in an orderly way, unless the script has ended it otherwise.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    head: bytes
    body: bytes

    def header(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.split(":", 1) for line in lines if line]
        return [value.strip() for key, value in pairs if key.lower() == name.lower()]


class Talk:
    """One connection, from the server's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: "Peer") -> None:
        self._reader = reader
        self._writer = writer
        self._peer = peer

    async def request(self) -> Seen:
        """The next whole request; asyncio.IncompleteReadError when the client ended instead."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        seen = Seen(head, b"")
        length = int(seen.header("content-length")[0])
        seen = Seen(head, await self._reader.readexactly(length))
        self._peer.requests.append(seen)
        return seen

    async def head(self) -> bytes:
        """Only the head of a request; the body is left unread."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def read(self, size: int) -> bytes:
        """At most `size` bytes, undecoded; empty at the end."""
        return await self._reader.read(size)

    async def send(self, data: bytes) -> None:
        if self._writer.is_closing():  # uvloop would raise RuntimeError
            raise ConnectionResetError("the client has gone")
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: bytes, headers: bytes = b"") -> None:
        await self.send(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(body), body))

    def half_close(self) -> None:
        """Sends a FIN now, in this very turn of the loop."""
        with socket.socket(fileno=os.dup(self._socket().fileno())) as twin:
            twin.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection by a RST."""
        linger = struct.pack("ii", 1, 0)
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    def cut(self) -> None:
        """Ends the connection without TLS's goodbye."""
        self._writer.transport.abort()

    async def stall(self) -> None:
        """Says nothing until the client has gone."""
        while await self._reader.read(65536):
            pass

    async def freeze(self) -> None:
        """Neither says nor reads anything until the peer is stopped."""
        await self._peer.stopping.wait()

    def tls(self) -> ssl.SSLObject:
        return cast(ssl.SSLObject, self._writer.get_extra_info("ssl_object"))

    def _socket(self) -> socket.socket:
        return cast(socket.socket, self._writer.get_extra_info("socket"))


Script = Callable[[Talk], Awaitable[None]]


@dataclass
class Peer:
    """A running server: what it has seen, and where it is."""

    script: Script
    url: str = ""
    requests: list[Seen] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    open: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        await self._count(+1)
        try:
            # A cancelled script ends here, by `stop`: asyncio's stream server complains about cancelled
            # tasks.
            with contextlib.suppress(
                asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError
            ):
                talk = Talk(reader, writer, self)
                self.talks.append(talk)
                await self.script(talk)
        finally:
            writer.close()
            self.tasks.discard(task)
            await self._count(-1)

    async def _count(self, change: int) -> None:
        self.open += change
        async with self.changed:
            self.changed.notify_all()

    @property
    def connections(self) -> int:
        """How many there were so far."""
        return len(self.talks)

    async def until_open(self, count: int) -> None:
        """Waits until exactly `count` scripts run."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.open == count)

    async def stop(self, server: asyncio.Server) -> None:
        self.stopping.set()
        server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, tls: ssl.SSLContext | None = None, uds: str | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Peer]:
    """A peer that follows `script`, as long as the block runs."""
    peer = Peer(script)
    if uds is not None:
        server = await asyncio.start_unix_server(peer.serve, uds)
        peer.url = "http://platform.test/api/v1.1/x"
    else:
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        peer.url = f"{'https' if tls else 'http'}://{host}:{port}/api/v1.1/x"
    try:
        yield peer
    finally:
        await peer.stop(server)


async def echo(talk: Talk) -> None:
    """Answers every request with its own body."""
    while True:
        await talk.answer((await talk.request()).body)


def sending(*pieces: bytes) -> Script:
    """Answers the first request with `pieces`, then leaves the connection as it is until the client goes."""

    async def script(talk: Talk) -> None:
        await talk.request()
        for piece in pieces:
            await talk.send(piece)
        await talk.stall()

    return script
