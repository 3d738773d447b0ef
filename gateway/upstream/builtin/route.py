"""One origin: its pool, the way to open a connection to it, and the course of a call between the two."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import msgspec

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.builtin.dialing import Dialer
from gateway.upstream.builtin.pool import Leave, Pool
from gateway.upstream.extensions import DEADLINE, MODIFIES, STREAM
from gateway.upstream.failures import kind_of, marked, was_written
from gateway.upstream.options import TransportOptions
from gateway.upstream.wire import WireReply

_WAIT = Leave.WAIT


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What one call asks for. Spans are seconds, moments are the loop's time; inf where there is no limit."""

    modifies: bool
    streamed: bool
    deadline: float
    silence: float
    connect: float
    patience: float = math.inf  # span: how long to wait for a slot

    @classmethod
    def of(cls, extensions: Mapping[str, Any], options: TransportOptions) -> "Terms":
        """From a request's extensions. httpx's `timeout` goes before the options; None there means theirs."""
        timeout = extensions.get("timeout") or {}
        patience = timeout.get("pool")
        return cls(
            extensions.get(MODIFIES, True),
            extensions.get(STREAM, False),
            extensions.get(DEADLINE, math.inf),
            timeout.get("read") or options.first_byte_timeout,
            timeout.get("connect") or options.connect_timeout,
            math.inf if patience is None else patience,
        )


JOINED_AT_ONCE = 1024 * 1024
"""Bytes of a reply that are put together on the loop."""


class Route:
    """Takes a call through its life: slot, connection, exchange, slot given back."""

    def __init__(self, options: TransportOptions, dialer: Dialer, loop: asyncio.AbstractEventLoop) -> None:
        self._options = options
        self._dialer = dialer
        self._loop = loop
        self.pool = Pool(options, loop)

    def __repr__(self) -> str:
        return f"<Route to {self._dialer.origin}: {self.pool!r}>"

    async def send(self, request: tuple[bytes, ...], terms: Terms) -> Connection:
        """The connection that has the reply to `request`, or its head; it is to be read and ended.

        Raises httpx's errors, marked; the slot is given back then, and also when this is cancelled.
        """
        now = self._loop.time()
        if now >= terms.deadline:
            raise marked(httpx.PoolTimeout("the deadline passed before the call"), "timeout", written=False)
        leased = self.pool.take(now, modifies=terms.modifies)
        if leased is _WAIT:
            leased = await self._wait(terms)
        try:
            if not isinstance(leased, Connection):
                return await self._send_on_new(request, terms)
            try:
                await leased.exchange(request, terms.silence, terms.deadline, terms.streamed, terms.modifies)
            except httpx.TransportError as error:
                if not _may_replace(leased, terms, error):
                    raise
                return await self._send_again(request, terms, leased, error)
        except BaseException:
            self.pool.give_back(None)
            raise
        return leased

    async def call(self, request: tuple[bytes, ...], terms: Terms) -> WireReply:
        """The whole reply to `request`. Raises as `send` does."""
        connection = await self.send(request, terms)
        reader = connection.reader
        is_large = reader.held > JOINED_AT_ONCE
        # All of it at once: from the end of its use on, the connection may be at the next call's reply.
        status, headers, pieces = reader.status, reader.headers, reader.take_pieces()
        end_use(self.pool, connection)
        # Joining leaves the interpreter to others when it is much, but not the loop.
        body = await asyncio.to_thread(b"".join, pieces) if is_large else b"".join(pieces)
        return WireReply(status, headers, body)

    async def _wait(self, terms: Terms) -> Connection | Leave:
        pool = self.pool
        leased = await pool.wait(min(terms.deadline, self._loop.time() + terms.patience))
        if leased is Leave.WAIT:
            if pool.is_closed:
                raise marked(httpx.ConnectError("the transport is closed"), "connect", written=False)
            raise marked(httpx.PoolTimeout("no connection became free in time"), "timeout", written=False)
        if isinstance(leased, Connection) and not leased.is_open:
            pool.discard(leased)
            return Leave.OPEN
        return leased

    async def _send_on_new(self, request: tuple[bytes, ...], terms: Terms) -> Connection:
        connection = await self._open(terms)
        # What the kernel may hold of a new connection is TLS's.
        await connection.exchange(request, terms.silence, terms.deadline, terms.streamed, looks=False)
        return connection

    async def _send_again(
        self, request: tuple[bytes, ...], terms: Terms, lost: Connection, error: httpx.TransportError
    ) -> Connection:
        """On a new connection; where there is none, an `error` that knows of a byte written stands."""
        self.pool.discard(lost)
        try:
            connection = await self._open(terms)
        except httpx.TransportError as second:
            if not was_written(error):
                raise
            raise error from second
        try:
            await connection.exchange(request, terms.silence, terms.deadline, terms.streamed, looks=False)
        except httpx.TransportError as second:
            if was_written(error):
                raise marked(second, kind_of(second), written=True) from error
            raise
        return connection

    async def _open(self, terms: Terms) -> Connection:
        within = min(terms.connect, terms.deadline - self._loop.time())
        connection = await self._dialer.dial(self._new_connection, within)
        self.pool.opened += 1
        if not connection.is_open:  # lost again before this coroutine had its turn
            text = "the peer closed the new connection at once"
            raise marked(httpx.ConnectError(text), "connect", written=False)
        return connection

    def _new_connection(self) -> Connection:
        return Connection(self._options, self._loop, self.pool.forget)


def _may_replace(lost: Connection, terms: Terms, error: httpx.TransportError) -> bool:
    """Whether a call may go once more that got no reply on `lost`, a connection that had idled.

    Where it ends before the request is written, it was too old. One that ends without a byte of a reply was
    most likely closed for age before the call arrived, too: likely is enough for a call that changes nothing.
    """
    if not was_written(error):
        return isinstance(error, httpx.ConnectError)  # a time that is over stays so
    return kind_of(error) == "reset" and not (terms.modifies or lost.reader.started)


class ReplyStream(httpx.AsyncByteStream):
    """The body of a streamed reply. It holds its slot until it was read to the end or closed."""

    def __init__(self, pool: Pool, connection: Connection) -> None:
        self._pool = pool
        self._connection: Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection is not None and (piece := await self._connection.next_piece()):
            yield piece
        await self.aclose()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            end_use(self._pool, connection)


def end_use(pool: Pool, connection: Connection) -> None:
    """Gives the slot back, with the connection if it can carry another call."""
    if connection.may_serve_again():
        pool.give_back(connection)
    else:
        connection.abort()
        pool.give_back(None)
