"""What the gateway tells a transport beside the request, and what it gets back beside the response.

httpx leaves `extensions` to the two ends, so these are plain keys of that dictionary. Both transports
(`transports.build`) understand all of them; a transport that does not only loses speed or exactness.
"""

from collections.abc import AsyncIterator

import httpx

MODIFIES = "gateway.modifies"
"""bool, True when missing: the call changes something, so it goes only where it surely arrives."""

DEADLINE = "gateway.deadline"
"""float, a moment of the running loop (`loop.time()`): the whole call, waiting included, ends by then."""

STREAM = "gateway.stream"
"""bool, False when missing: hand out the reply at its head and let the reader pull the body."""

HEAD = "gateway.head"
"""bytes: request line and header lines, each ended by CRLF, without Content-Length and the blank line.

It replaces `request.headers`; the URL still says where to connect. Whoever builds it has validated it.
"""

BODY = "gateway.body"
"""bytes, of a response: the whole body, so that a buffered reply needs no further await."""


class Body(httpx.AsyncByteStream):
    """A body that is one buffer: of a request, so that one write sends it, or of a buffered reply."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body
