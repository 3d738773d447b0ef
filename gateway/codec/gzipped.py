"""Bodies under `Content-Encoding: gzip`, within a limit.

A few bytes of gzip may stand for a thousand times as many. So the body is inflated piece by piece, and given
up at the piece that goes over the limit; one that is large enough to go over it is measured first, since
even to put away what was kept of it would take longer than other calls should wait. Refuses what is cut
short, what follows the end, and gzip by the thousand members: each costs time and gives nothing.
"""

import zlib
from collections.abc import Iterator

CODINGS = (b"gzip", b"x-gzip")  # RFC 9110 section 8.4.1.3: one and the same

_PIECE = 256 * 1024  # bytes of plain text at once
_FED = 64 * 1024  # bytes of gzip at once; what is left of them after each piece is copied
_MOST_MEMBERS = 100  # RFC 1952 section 2.2 allows any number; writers of replies use one
_MOST_PER_BYTE = 1032  # what deflate can make of one byte at most
_GZIP = zlib.MAX_WBITS | 16


class GzipError(ValueError):
    """What is not gzip; the text holds nothing of the body."""


class TooLongError(GzipError):
    """More than the limit."""


def inflate(data: bytes, limit: int) -> bytes:
    """The plain body of at most `limit` bytes. Raises GzipError; TooLongError as soon as it is longer."""
    if len(data) * _MOST_PER_BYTE > limit:
        for _ in _pieces(data, limit):
            pass
    return b"".join(_pieces(data, limit))


def _pieces(data: bytes, limit: int) -> Iterator[bytes]:
    size = place = members = 0
    while place < len(data) or not members:
        members += 1
        if members > _MOST_MEMBERS:
            raise GzipError("it has more members than anybody needs")
        inflater = zlib.decompressobj(_GZIP)
        while not inflater.eof:
            fed = data[place : place + _FED]
            if not fed:
                raise GzipError("it is cut short")
            place += len(fed)
            while fed and not inflater.eof:
                # One byte more than there is room for tells whether there is more.
                piece = _step(inflater, fed, min(_PIECE, limit - size + 1))
                size += len(piece)
                if size > limit:
                    raise TooLongError(f"it is larger than {limit} bytes")
                yield piece
                fed = inflater.unconsumed_tail
        place -= len(inflater.unused_data)


def _step(inflater: "zlib._Decompress", fed: bytes, room: int) -> bytes:
    try:
        return inflater.decompress(fed, room)
    except zlib.error as error:
        raise GzipError("it is not what it says it is") from error
