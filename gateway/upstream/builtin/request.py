"""Writes a request as bytes: the whole of it in one buffer, or in two where copying the body would cost more.

Refuses whatever could make one request look like two: this is where a line break in a header would become a
header, or a second call. Such a request fails before a connection is touched.
"""

import re

import httpx

from gateway.upstream.extensions import HEAD, Body
from gateway.upstream.failures import marked

_ONE_WRITE = 64 * 1024  # up to here a copy of the body is cheaper than a second system call

# RFC 9110 section 5.6.2 (token) and 5.5 (field-value): visible characters, space, tab, and bytes above ASCII.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"[\x21-\x7e]+")

# Their replies end at the head whatever it says (RFC 9112 section 6.3); the gateway never sends them.
_UNREADABLE = ("HEAD", "CONNECT")
# What this module writes itself, or does not do.
_OWN = (b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"expect")


def encode(request: httpx.Request) -> tuple[bytes, ...]:
    """The request in one or two parts, in the order they are written. Raises LocalProtocolError."""
    return parts(request.extensions.get(HEAD) or _head(request), _body(request.stream))


def parts(head: bytes, body: bytes) -> tuple[bytes, ...]:
    """The same of a `head` that is written already, but for the length."""
    if len(body) <= _ONE_WRITE:
        return (b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body),)
    return (b"%bContent-Length: %d\r\n\r\n" % (head, len(body)), body)


def _body(stream: object) -> bytes:
    if type(stream) is Body:
        return stream.body
    if isinstance(stream, httpx.ByteStream):
        return b"".join(stream)
    raise _refused("a request body has to be one buffer")


def _head(request: httpx.Request) -> bytes:
    """Request line and header lines from the request's own parts."""
    method = request.method.encode()
    target = request.url.raw_path
    if not _TOKEN.fullmatch(method) or request.method in _UNREADABLE:
        raise _refused("a request method that cannot be sent")
    if not _TARGET.fullmatch(target):
        raise _refused("a request target that cannot be sent")
    lines = [b"%b %b HTTP/1.1\r\n" % (method, target)]
    if b"host" not in (name.lower() for name, _ in request.headers.raw):
        lines.append(b"Host: %b\r\n" % request.url.netloc)
    for name, value in request.headers.raw:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _refused("a header that cannot be sent")
        if name.lower() not in _OWN:
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def _refused(text: str) -> httpx.LocalProtocolError:
    return marked(httpx.LocalProtocolError(text), "protocol", written=False)
