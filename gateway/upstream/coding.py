"""The content coding of a reply (RFC 9110 section 8.4): gzip is taken off, whether it was asked for or not,
since front servers have their own mind; anything else is no answer.

Refuses more than the limit of a reply, however few bytes stand for it.
"""

from gateway.codec import gzipped
from gateway.codec.gzipped import GzipError


def plain(body: bytes, coded: bytes, limit: int) -> bytes:
    """A body without its coding, at most `limit` bytes. Raises GzipError."""
    if coded not in gzipped.CODINGS:
        raise GzipError("it is encoded in a way that nobody asked for")
    return gzipped.inflate(body, limit)
