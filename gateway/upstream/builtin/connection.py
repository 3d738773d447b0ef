"""One connection: a request out in one write, its reply in, and two clocks beside it.

An asyncio.Protocol: the loop calls it, and only `exchange` and `next_piece` wait. It serves one call at a
time; who may use it, and when it is closed for age, is the pool's business.

A request goes out in the next turn of the loop, right behind those of other calls: a peer that gets ten at a
time is woken once, and waking it is the dearest part of a write.

Time: at most one timer per connection. It is set to the earliest moment at which the call under way could
be too late, and looks again when it fires, instead of being set and cleared for every call.

A failure is marked as written from the first write on: whether the kernel took a byte of it before the
connection broke cannot be told afterwards.
"""

import asyncio
import select
import ssl
from collections.abc import Callable
from typing import cast

import httpx

from gateway.upstream.builtin.reply import ReplyError, ReplyReader
from gateway.upstream.failures import Kind, marked
from gateway.upstream.options import TransportOptions

_STREAM_BUFFER = 256 * 1024  # bytes of a streamed body held for a slow reader before reading pauses
_TIMER_GRAIN = 0.001  # uvloop's timers count whole milliseconds and may fire that much early


class Connection(asyncio.Protocol):
    """Carries calls one after another, as long as `may_serve_again` says so after each."""

    __slots__ = (
        "_busy",
        "_deadline",
        "_error",
        "_heard",
        "_loop",
        "_on_lost",
        "_paused",
        "_poll",
        "_request",
        "_silence",
        "_streamed",
        "_timer",
        "_timer_due",
        "_transport",
        "_unsent",
        "_waiter",
        "idle_since",
        "is_open",
        "reader",
    )

    def __init__(
        self,
        options: TransportOptions,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[["Connection"], None],
    ) -> None:
        # for the life of the connection
        self._loop = loop
        self._on_lost = on_lost
        self.reader = ReplyReader(options)
        self.is_open = False
        self.idle_since = 0.0  # the pool's note, in the loop's time
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        # for one call
        self._busy = False
        self._streamed = False
        self._paused = False
        self._silence = self._deadline = self._heard = 0.0
        self._request: tuple[bytes, ...] = ()  # what is still to be written
        self._unsent = 0
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        state = "busy" if self._busy else "idle"
        return f"<Connection {state if self.is_open else 'closed'}>"

    async def exchange(
        self, request: tuple[bytes, ...], silence: float, deadline: float, streamed: bool, looks: bool
    ) -> None:
        """Sends the parts of `request` and waits for the reply, or for its head if `streamed`.

        `silence` is the longest the peer may say nothing, `deadline` the end in the loop's time. `looks`: at
        the last moment before the write the kernel is asked whether the peer has closed the connection.
        Raises httpx's errors, marked; the connection is closed then, and also when it is cancelled.
        """
        loop = self._loop
        self._busy = True
        self._streamed = streamed
        self._error = None
        self.reader.expect(streamed=streamed)
        self._heard = now = loop.time()
        self._silence = silence
        self._deadline = deadline
        due = min(now + silence, deadline)
        if self._timer is None or self._timer_due > due:
            self._watch(due)
        self._request = request
        loop.call_soon(self._send_if_open if looks else self._send)
        self._waiter = waiter = loop.create_future()
        try:
            await waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # its traceback leads back here, and so to the request's bytes

    async def next_piece(self) -> bytes:
        """The next bytes of a streamed body; empty at its end."""
        while not self.reader.held:
            if self._error is not None:
                raise self._error
            if self.reader.complete:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._paused and self.is_open:
            self._heard = self._loop.time()  # the silence so far was the reader's
            self._transport.resume_reading()
        self._paused = False
        return self.reader.take_body()

    def may_serve_again(self) -> bool:
        """Whether the reply ended where it said and the peer wants more calls.

        Not so when the answer came before all of the request had gone out: the rest is still in the buffer,
        and nobody knows whether the peer will read it.
        """
        return (
            self.is_open
            and not self._busy
            and self.reader.keep_alive
            and not self._transport.get_write_buffer_size()
        )

    def abort(self) -> None:
        """Closes at once and without a word; a waiting call is not woken."""
        self._busy = False
        self.is_open = False
        self._request = ()
        self._transport.abort()

    def _send_if_open(self) -> None:
        """What the kernel holds from a peer that was asked nothing is the end of the connection; the loop may
        not have come to read it."""
        if self._request and self._poll.poll(0):
            self._fail_unsent()
        else:
            self._send()

    def _send(self) -> None:
        if self._request and not self.is_open:  # the peer's end came in between
            self._fail_unsent()
            return
        request, self._request = self._request, ()
        for part in request:  # none, where the call has ended since
            self._transport.write(part)
        self._unsent = self._transport.get_write_buffer_size()

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if not self._busy:  # nobody asked; what it belongs to cannot be told
            self.abort()
            return
        if self._request:
            self._fail_unsent()
            return
        self._heard = self._loop.time()
        reader = self.reader
        try:
            reader.feed(data)
        except ReplyError as error:
            self._fail(httpx.RemoteProtocolError(str(error)), "protocol")
            return
        if reader.complete:
            self._busy = False
            self._wake()
        elif self._streamed and reader.head_complete:
            self._hold_back()
            self._wake()

    def eof_received(self) -> None:
        self.is_open = False
        if not self._busy or self._request or self._is_cut_below_tls():
            return  # connection_lost follows, and is the end of a call
        try:
            self.reader.end()
        except ReplyError as error:
            self._fail(httpx.RemoteProtocolError(str(error)), "reset")
        else:
            self._busy = False
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
        if self._request:
            self._fail_unsent()
        elif self._busy:
            text = str(exc) if exc is not None else "the connection was cut inside the reply"
            self._fail(httpx.ReadError(text), "tls" if isinstance(exc, ssl.SSLError) else "reset")
        self._on_lost(self)

    def _is_cut_below_tls(self) -> bool:
        """Whether TCP ended without TLS's close_notify, which anybody on the way can do (RFC 8446, 6.1).

        asyncio reports both alike. The TLS object still tells them apart: at an orderly end it reads nothing,
        after a cut it wants more.
        """
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None:
            return False
        try:
            return bool(tls.read(1))
        except ssl.SSLError:
            return True

    # How a call ends.

    def _fail(self, error: Exception, kind: Kind) -> None:
        self._error = marked(error, kind, written=not self._request)
        self.abort()
        self._wake()

    def _fail_unsent(self) -> None:
        self._fail(httpx.ConnectError("the peer ended the connection before the request went out"), "connect")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _hold_back(self) -> None:
        if self.reader.held > _STREAM_BUFFER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    # Time.

    def _watch(self, when: float) -> None:
        """Sees to it that `_look` runs by `when` at the latest."""
        if self._timer is not None:
            if self._timer_due <= when:
                return
            self._timer.cancel()
        self._timer_due = when
        self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        """Ends a call that is too late, or sees when it would be."""
        self._timer = None
        if not self._busy:
            return
        now = self._loop.time()
        if now + _TIMER_GRAIN >= self._deadline:
            self._fail(httpx.ReadTimeout("the deadline passed"), "timeout")
            return
        if self._paused or self._is_sending():
            self._heard = now
        due = min(self._heard + self._silence, self._deadline)
        if now + _TIMER_GRAIN < due:
            self._watch(due)
        elif self._transport.get_write_buffer_size():
            self._fail(httpx.WriteTimeout("the peer stopped reading the request"), "timeout")
        else:
            self._fail(httpx.ReadTimeout(f"no byte for {self._silence:g} seconds"), "timeout")

    def _is_sending(self) -> bool:
        """Whether the request got shorter since the last look: a peer that still reads need not talk yet."""
        unsent = self._transport.get_write_buffer_size()
        is_shorter = unsent < self._unsent
        self._unsent = unsent
        return is_shorter
