"""Reads replies of HTTP/1.1 out of bytes, one after another, and holds them to the limits as they arrive.

llhttp (httptools) knows the grammar and is strict where strictness keeps two replies apart: both framings
at once, doubled or listed lengths, bare line feeds, folded headers, broken chunk sizes. What it leaves open
is decided here:

- sizes: it takes a head, a trailer or a body of any size;
- `Transfer-Encoding` other than `chunked`: it would read to the end of the connection, or hand out what is
  still encoded. The request allowed nothing but `chunked` (RFC 9112 section 6.1), so all else is refused;
- the end of the connection: only a reply with neither framing may end there (RFC 9112 section 6.3, rule 8);
- white space after a value: it belongs to the line, not to the value (RFC 9110 section 5.5), and goes;
- trailers: dropped (RFC 9110 section 6.5.1 allows it); llhttp would add them to the headers;
- bytes after a reply: nobody asked for them. The reply stands, the connection is not used again.

No socket, no clock, no loop: bytes in, a reply or `ReplyError` out.
"""

import math

import httptools

from gateway.upstream.options import TransportOptions

_FRAMING = (b"content-length", b"transfer-encoding")
_SWITCHING_PROTOCOLS = 101


class ReplyError(Exception):
    """The peer broke the protocol or a limit; the text says how and holds nothing that the peer sent."""


class ReplyReader:
    """One connection's reader. `expect`, then `feed` until `complete`, then `expect` again.

    The `on_...` methods are called by httptools, once per part of a reply.
    """

    __slots__ = (
        "_head_bytes",
        "_options",
        "_parser",
        "_pieces",
        "_problem",
        "_silent_bytes",
        "_size",
        "_size_limit",
        "_trailers",
        "complete",
        "head_complete",
        "headers",
        "held",
        "keep_alive",
        "started",
        "status",
    )

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._parser = httptools.HttpResponseParser(self)
        self._problem: str | None = None
        self.complete = True
        self.expect(streamed=False)

    def expect(self, *, streamed: bool) -> None:
        """Gets ready for the next reply; a streamed one may be of any size."""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.started = False
        self.head_complete = False
        self.complete = False
        self.keep_alive = False
        self.held = 0
        self._pieces: list[bytes] = []
        self._size = 0
        self._size_limit = math.inf if streamed else self._options.reply_bytes
        self._head_bytes = 0
        self._silent_bytes = 0
        self._trailers = 0

    def feed(self, data: bytes) -> None:
        """Takes what arrived. Raises ReplyError; after it the connection is good for nothing."""
        self.started = True
        size_before, in_head = self._size, not self.head_complete
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise ReplyError("the peer switched protocols") from error
        except httptools.HttpParserError as error:
            if not self.complete:
                raise ReplyError(self._problem or str(error)) from error
            self.keep_alive = False  # bytes after the reply
        if in_head:
            # Interim replies count as part of the head, so they end too.
            self._head_bytes += len(data)
            options = self._options
            if len(self.headers) > options.headers:
                raise ReplyError(f"more than {options.headers} headers")
            if self._head_bytes > options.header_bytes:
                self._check_head()
        elif self._size == size_before and not self.complete:
            # Chunk extensions and trailers are dropped, but must not come for ever.
            self._silent_bytes += len(data)
            if self._silent_bytes > self._options.header_bytes:
                raise ReplyError("trailers larger than the limit")

    def end(self) -> None:
        """The connection ended. Completes a reply that has no other end, else raises ReplyError."""
        if self.complete:
            return
        if not self.started:
            raise ReplyError("the peer closed the connection without a reply")
        if not self.head_complete or any(name.lower() in _FRAMING for name, _ in self.headers):
            raise ReplyError("the peer closed the connection inside its reply")
        self.complete = True

    def take_body(self) -> bytes:
        """What of the body has arrived since the last time: the `held` bytes."""
        pieces = self.take_pieces()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def take_pieces(self) -> list[bytes]:
        """The same, as it came."""
        pieces, self._pieces = self._pieces, []
        self.held = 0
        return pieces

    def _check_head(self) -> None:
        """What arrived with the end of the head may be body: then the head is measured by its parts."""
        if not self.head_complete or self._measured_head() > self._options.header_bytes:
            raise ReplyError(f"a head larger than {self._options.header_bytes} bytes")

    def _measured_head(self) -> int:
        return sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _refuse(self, problem: str) -> ReplyError:
        """httptools hides what a callback raises behind its own error, so the text is kept aside."""
        self._problem = problem
        return ReplyError(problem)

    def on_message_begin(self) -> None:
        if self.complete:
            raise self._refuse("bytes after the reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.head_complete:
            value = value.rstrip(b" \t")
            self.headers.append((name, value))
            # The length is looked at first: this is done for every header of every reply.
            if len(name) == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
                raise self._refuse("a transfer coding other than chunked")
            return
        self._trailers += 1
        if self._trailers > self._options.headers:
            raise self._refuse(f"more than {self._options.headers} trailers")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            if status < 100 or status == _SWITCHING_PROTOCOLS:
                raise self._refuse(f"status {status}, which nobody asked for")
            return
        if status > 599:
            raise self._refuse(f"status {status}, which does not exist")
        self.status = status
        self.head_complete = True

    def on_body(self, piece: bytes) -> None:
        size = len(piece)
        self._size += size
        self.held += size
        if self._size > self._size_limit:
            raise self._refuse(f"the reply is larger than {self._size_limit} bytes")
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        if self.head_complete:
            self.keep_alive = self._parser.should_keep_alive()
            self.complete = True
        else:  # an interim reply (1xx): the final one follows, RFC 9110 section 15.2
            self.headers = []
