"""The content coding of a reply (RFC 9110 section 8.4): gzip is taken off, whether it was asked for or not,
since front servers have their own mind; anything else is no answer.

Refuses more than the limit of a reply, however few bytes stand for it.
"""

from collections.abc import Iterable

from gateway.codec import gzipped
from gateway.codec.gzipped import GzipError

_NAME = b"content-encoding"


def coding(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The coding that a reply's headers name; b"" for none."""
    found = b""
    for name, value in headers:
        # The length is looked at first: this is done for every header of every reply.
        if len(name) == len(_NAME) and name.lower() == _NAME:
            found = found + b"," + value if found else value.strip().lower()
    return b"" if found == b"identity" else found


def plain(body: bytes, coded: bytes, limit: int) -> bytes:
    """A body without its coding, at most `limit` bytes. Raises GzipError."""
    if coded not in gzipped.CODINGS:
        raise GzipError("it is encoded in a way that nobody asked for")
    return gzipped.inflate(body, limit)
