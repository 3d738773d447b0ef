"""What the head of a request says, once httptools has read it; refuses what could be read in two ways.

httptools refuses most of that itself (two lengths, a length and chunks, folded lines, bare line feeds, spaces
before a colon). It lets pass what is refused here: other versions, transfer codings besides chunked, any of
them in HTTP/1.0, and targets that are no path, which another server might take for another host's. A missing
or doubled `Host` is the guard's to refuse.
"""

from collections.abc import Iterable
from typing import NamedTuple

from gateway import errors
from gateway.headers import CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, Headers

Fields = Iterable[tuple[bytes, bytes]]


class Head(NamedTuple):
    """`path` and `query` are as they came, percent escapes and all."""

    method: str
    path: bytes
    query: bytes
    version: str
    headers: Headers  # those that are read
    keep_alive: bool
    length: int | None  # of the body, where it is said
    asks_first: bool  # the caller sends the body once it is told to (Expect: 100-continue)


class Draft:
    """A head as it comes in, field by field, and what may still come of it."""

    __slots__ = ("_bytes", "_header_bytes", "_headers", "_trailers", "fields", "stuck", "target")

    def __init__(self, header_bytes: int, headers: int) -> None:
        """At most so many bytes and fields, trailers included."""
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []  # with lower-case names
        self._header_bytes = header_bytes
        self._headers = headers
        self.stuck = 0  # bytes that came without an end of a field
        self._bytes = self._trailers = 0

    def add(self, name: bytes, value: bytes, *, is_trailer: bool) -> bool:
        """Whether it is within the limits. Fields behind the head are trailers: counted, never taken."""
        self._bytes += len(name) + len(value) + 4
        if is_trailer:
            self._trailers += 1
        else:
            self.fields.append((name.lower(), value))
        return self._bytes <= self._header_bytes and len(self.fields) + self._trailers <= self._headers

    def fits_with_target(self) -> bool:
        """Whether the head is within the limits, now that it is whole."""
        return self._bytes + len(self.target) <= self._header_bytes

    def is_stuck(self, size: int) -> bool:
        """Whether `size` more bytes, within one field, are too many: httptools keeps them, and tells of a
        field when it is whole."""
        self.stuck += size
        return self.stuck > self._header_bytes

    def too_large(self) -> errors.CallError:
        """What a caller is told whose head is not."""
        return errors.CallError(
            errors.HEAD_TOO_LARGE,
            f"a head is {self._header_bytes} bytes and {self._headers} header fields at most",
        )


def read(method: bytes, target: bytes, version: str, headers: Headers, *, keep_alive: bool) -> Head:
    """`keep_alive` is httptools' word. Raises CallError (400)."""
    if version not in ("1.1", "1.0"):
        raise errors.CallError(errors.BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    if TRANSFER_ENCODING in headers and (
        headers[TRANSFER_ENCODING].lower() != b"chunked" or version != "1.1"
    ):
        raise errors.CallError(errors.BAD_REQUEST, "no transfer coding but chunked is read, in HTTP/1.1")
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/") or b"#" in target:
        raise errors.CallError(errors.BAD_REQUEST, "the target has to be a path")
    return Head(
        method.decode("ascii"),
        path,
        query,
        version,
        headers,
        keep_alive and version == "1.1",
        _length(headers),
        EXPECT in headers and headers[EXPECT].lower() == b"100-continue",
    )


def _length(headers: Headers) -> int | None:
    """httptools has refused two of them, and what is no number."""
    length = headers.get(CONTENT_LENGTH)
    return int(length[:20]) if length is not None and length.isdigit() else None


def lines(fields: Fields) -> bytes:
    """Header lines, each ended by CRLF."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def written(method: bytes, target: bytes, version: str, fields: Fields) -> bytes:
    """A request's head once more, without an offer to upgrade."""
    kept = [field for field in fields if field[0] != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, target, version.encode("ascii"), lines(kept))


class CommonFields:
    """The header lines that every answer has. uvicorn makes a new list of them every second, for the date;
    in between they are written once."""

    def __init__(self) -> None:
        self._fields: Fields = ()
        self._lines = b""

    def lines(self, fields: Fields) -> bytes:
        if fields is not self._fields:
            self._fields, self._lines = fields, lines(fields)
        return self._lines
