"""One call on its caller's connection: what came in, whether its caller is still there, and the way back.

The data plane's side of the listener, without ASGI between: the body is gathered here, and an answer goes out
head and body in one write. Refuses to know what a call means, and when its caller is too late: the connection
(`protocol`) says that.
"""

import asyncio
import http
from typing import Protocol

from gateway import errors
from gateway.head import Head
from gateway.presence import Presence

HIGH_WATER = 64 * 1024
"""Bytes of a body that are taken in before anybody has said how many it may be; and up to which a reply's
body is copied behind its head, since that costs less than a second system call."""

JOINED_AT_ONCE = 1024 * 1024
"""Bytes of a body that are put together on the loop."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PHRASES = {status.value: status.phrase.encode("ascii") for status in http.HTTPStatus}
# The platform may answer with statuses of its own, such as 435; a status line needs no phrase (RFC 9112 4).
_STATUS_LINES = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b"")) for status in range(100, 600)
}


def head_of(status: int, fields: bytes, length: int, *, keep_alive: bool) -> bytes:
    """The head of an answer; `fields` are finished header lines."""
    return b"%b%bcontent-length: %d\r\n%b\r\n" % (
        _STATUS_LINES[status],
        fields,
        length,
        b"" if keep_alive else b"connection: close\r\n",
    )


class CallerGone(Exception):  # noqa: N818 - an event, not a fault: nobody is left to answer
    """The caller hung up before its request was whole."""


class Link(Protocol):
    """What an exchange needs of its connection."""

    local_address: str | None  # the address literal that the connection came in on; None for a Unix socket

    def write(self, data: bytes) -> None: ...

    def is_closing(self) -> bool: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def common_fields(self) -> bytes:
        """The header lines that every answer has."""
        ...

    def hand_out(self, *parts: bytes) -> None:
        """Write the whole answer; none, where nobody is there to take it. The next request's turn follows."""
        ...


class Exchange:
    """One call. What its head says is as in `head.Head`."""

    __slots__ = (
        "_asks_first",
        "_limit",
        "_link",
        "_pieces",
        "_size",
        "_trouble",
        "_waiter",
        "head",
        "is_answered",
        "is_whole",
        "keep_alive",
        "presence",
    )

    def __init__(self, link: Link, head: Head) -> None:
        self.head = head
        self.keep_alive = head.keep_alive
        self.presence = Presence()
        self.is_whole = False
        self.is_answered = False
        self._link = link
        self._asks_first = head.asks_first
        self._pieces: list[bytes] = []
        self._size = 0
        self._limit: int | None = None
        self._trouble: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def __repr__(self) -> str:
        state = "answered" if self.is_answered else "whole" if self.is_whole else "coming"
        return f"<Exchange {self.head.method}, {state}>"

    @property
    def local_address(self) -> str | None:
        return self._link.local_address

    # What the data plane asks.

    def body_at_hand(self, limit: int) -> bytes | None:
        """The body where it is whole already, and small; else None, and `body` is to be awaited."""
        if not self.is_whole or self._size > limit or self._size > HIGH_WATER:
            return None
        pieces = self._pieces
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def body(self, limit: int) -> bytes:
        """The body, whole. Raises CallError: 413 over `limit` bytes, or what the connection found wrong; and
        CallerGone."""
        self._limit = limit
        if self._asks_first and not self.is_whole:
            self._asks_first = False
            self._link.write(CONTINUE)
        self._link.resume_reading()
        while self._trouble is None and not self.is_whole and self._size <= limit:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._trouble is not None:
            try:
                raise self._trouble
            finally:
                self._trouble = None  # its traceback leads back here, and so to the body
        if self._size > limit:
            raise errors.body_too_large(limit)
        if self._size > JOINED_AT_ONCE:  # joining so much leaves the interpreter to others, but not the loop
            return await asyncio.to_thread(b"".join, self._pieces)
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def answer(self, status: int, fields: bytes, body: bytes) -> bool:
        """Hand the answer out; `fields` are finished header lines. Returns whether the caller was, as far as
        is known, still there to take it. It is written in the loop's next turn: `presence` knows then."""
        link = self._link
        here = not (self.presence.is_gone or link.is_closing())
        # Who asked first may leave the body out now, or send it: what comes next cannot be told apart.
        self.keep_alive = self.keep_alive and not (self._asks_first and not self.is_whole)
        start = head_of(status, link.common_fields() + fields, len(body), keep_alive=self.keep_alive)
        if self.head.method == "HEAD":
            body = b""
        self.is_answered = True
        self._pieces = []
        if not here:
            link.hand_out()
        elif len(body) <= HIGH_WATER:
            link.hand_out(start + body)
        else:
            link.hand_out(start, body)
        return here

    # What the connection tells.

    def take_whole(self, content: bytes) -> None:
        """The body came with the head, all of it."""
        self._pieces = [content]
        self._size = len(content)
        self.is_whole = True

    def feed(self, piece: bytes) -> None:
        """Another piece of the body. What comes behind the answer is dropped."""
        if self.is_answered:
            return
        self._size += len(piece)
        if self._limit is None:
            self._pieces.append(piece)
            if self._size > HIGH_WATER:
                self._link.pause_reading()
        elif self._size <= self._limit:
            self._pieces.append(piece)
        else:
            self._pieces = []
            self._wake()

    def end(self) -> None:
        """The request is whole."""
        self.is_whole = True
        self._wake()

    def fail(self, trouble: errors.CallError) -> None:
        """The request will never be whole."""
        self.keep_alive = False
        self._trouble = trouble
        self._wake()

    def leave(self) -> None:
        """The connection is lost."""
        if not self.is_whole:
            self._trouble = CallerGone()
            self._wake()
        self.presence.leave()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Refused:
    """A request that is none, waiting for its turn to be told so."""

    is_whole = True
    is_answered = False
    keep_alive = False

    def __init__(self, error: errors.CallError) -> None:
        self.error = error
