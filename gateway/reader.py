"""Requests out of the bytes of one connection: HTTP/1.1 by httptools, with the limits that httptools does not
have.

A head that came before (`known_heads`) is not read again; httptools is passed over for the whole request, and
knows nothing of it. Refuses to take trailers for fields. No socket, no clock: bytes in, requests out.

An `Upgrade` is not taken. Java's HttpClient and others offer HTTP/2 on their first call (`Upgrade: h2c`,
RFC 7540 section 3.2), body and all. A server may ignore the offer (RFC 9110 section 7.8); httptools instead
ends the message at its head, so it is given the request once more, without that field.
"""

from typing import Protocol

import httptools

from gateway import errors, head, headers
from gateway.head import Draft, Head
from gateway.known_heads import Known
from gateway.listener import Listener, ListenerLimits


class Incoming(Protocol):
    """A request whose head is read."""

    def feed(self, piece: bytes) -> None: ...

    def end(self) -> None: ...


class Receiver(Protocol):
    """What a reader needs of its connection."""

    def begins(self, limits: ListenerLimits) -> None:
        """A request begins, under these limits."""
        ...

    def is_free(self) -> bool:
        """Whether no request is before the one that begins."""
        ...

    def opened(self, head: Head, fields: list[tuple[bytes, bytes]]) -> tuple[Incoming, bool]:
        """The request of this head, and whether it is a call."""
        ...

    def known(self, known: Known) -> Incoming:
        """The same, where the head is known."""
        ...

    def known_whole(self, known: Known, content: bytes) -> None:
        """A request whose head is known, and `content` its body."""
        ...

    def whole(self) -> None:
        """The request that was opened last is whole."""
        ...


def _no_http() -> errors.CallError:
    return errors.CallError(errors.BAD_REQUEST, "this is no proper HTTP/1.1")


class RequestReader:
    """`feed` it; where a request stands is in `in_head` and `incoming`. The `on_...` methods are called by
    httptools."""

    def __init__(self, connection: Receiver, listener: Listener) -> None:
        self.in_head = False
        self.incoming: Incoming | None = None
        self._connection = connection
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._limits = listener.limits
        self._draft = Draft(self._limits.header_bytes, self._limits.headers)
        self._call: Head | None = None  # of the last request, if it is a call
        self._read_heads = self._read_body = 0  # heads, and bytes of bodies, in what came last
        self._moved = False
        self._error: errors.CallError | None = None
        self._missing = 0  # bytes of the body of a request whose head was known
        self._is_last = False  # that request, on its connection

    def feed(self, data: bytes) -> None:
        """Raises CallError: nothing that comes from here on can be read."""
        rest: bytes | None = data
        while rest is not None:
            rest = self._gather(rest) if self._missing else self._feed(rest)

    def close(self) -> None:
        """For good: httptools and this hold each other, and so the connection."""
        del self._parser

    def _feed(self, data: bytes) -> bytes | None:
        """Returns what is to be fed next, if anything is. Raises CallError."""
        is_first = self.incoming is None and not self.in_head and self._connection.is_free()
        if is_first and (known := self._listener.heads.find(data)) is not None:
            self._draft.stuck = 0
            if known.whole == len(data):
                self._connection.known_whole(known, data[known.size :])
                return None
            self._missing, self._is_last = known.whole - known.size, not known.head.keep_alive
            self.incoming = self._connection.known(known)
            return data[known.size :] or None
        self._moved, self._read_heads, self._read_body = False, 0, 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._without_offer() + data[upgrade.args[0] :]
        except httptools.HttpParserError:
            raise self._error or _no_http() from None
        if not self._moved and self._draft.is_stuck(len(data)):
            raise self._draft.too_large()
        if is_first and self._read_heads == 1 and self._call is not None:
            # All that came is that head and what was taken for its body: nothing else can be meant by it.
            self._listener.heads.learn(data[: len(data) - self._read_body], self._call)
        return None

    def _gather(self, data: bytes) -> bytes | None:
        """More of a body that httptools does not see. Returns what is behind it, and raises CallError where
        nothing may be."""
        assert self.incoming is not None
        piece, rest = data[: self._missing], data[self._missing :]
        self._missing -= len(piece)
        self.incoming.feed(piece)
        if self._missing:
            return None
        self._end()
        if rest and self._is_last:
            raise _no_http()
        return rest or None

    def _end(self) -> None:
        assert self.incoming is not None
        self.incoming.end()
        self.incoming = None
        self._connection.whole()

    def _without_offer(self) -> bytes:
        """The head that has just ended, as one that offers nothing; for a new parser."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise errors.CallError(errors.BAD_REQUEST, "this is no proxy of that kind")
        self._parser, former = httptools.HttpRequestParser(self), self._parser
        return head.written(method, self._draft.target, former.get_http_version(), self._draft.fields)

    def on_message_begin(self) -> None:
        self._limits = self._listener.limits  # a reload may have changed them
        self._connection.begins(self._limits)
        self._moved = self.in_head = True
        self._draft = Draft(self._limits.header_bytes, self._limits.headers)

    def on_url(self, url: bytes) -> None:
        self._draft.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._draft.add(name, value, is_trailer=not self.in_head):
            raise self._reject(self._draft.too_large())

    def on_headers_complete(self) -> None:
        self._moved, self.in_head = True, False
        if not self._draft.fits_with_target():
            raise self._reject(self._draft.too_large())
        if self._parser.should_upgrade():
            return
        read = self._read()
        self.incoming, is_call = self._connection.opened(read, self._draft.fields)
        self._call = read if is_call else None
        self._read_heads += 1

    def on_chunk_header(self) -> None:
        self._moved = True

    def on_body(self, piece: bytes) -> None:
        self._moved = True
        self._read_body += len(piece)
        if self.incoming is not None:
            self.incoming.feed(piece)

    def on_message_complete(self) -> None:
        if self.incoming is not None:  # else an offer to upgrade; see there
            self._moved = True
            self._end()

    def _read(self) -> Head:
        parser = self._parser
        try:
            return head.read(
                parser.get_method(),
                self._draft.target,
                parser.get_http_version(),
                headers.pick(self._draft.fields, self._limits.caller_header),
                keep_alive=parser.should_keep_alive(),
            )
        except errors.CallError as error:
            raise self._reject(error) from None

    def _reject(self, error: errors.CallError) -> Exception:
        """httptools hides what a callback raises behind an error of its own, so it is kept aside."""
        self._error = error
        return error
