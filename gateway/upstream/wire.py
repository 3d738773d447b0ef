"""The seam between who sends calls and what carries them: bytes out, bytes back, and nothing in between.

A transport is an httpx transport as well, for what is streamed; calls go past httpx's request and response,
which cost as much as the way to the kernel. Refuses to know what a call is.
"""

from typing import NamedTuple, Protocol

import httpx
import msgspec

RawHeaders = list[tuple[bytes, bytes]]


class Origin(NamedTuple):
    """Where a URL says to connect; calls to one origin share connections. No port: that of the scheme."""

    scheme: bytes
    host: bytes
    port: int | None

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme.decode()}://{self.host.decode()}{port}"

    @classmethod
    def of(cls, url: httpx.URL) -> "Origin":
        return cls(url.raw_scheme, url.raw_host, url.port)


class Destination(NamedTuple):
    """Where a call goes: taken apart once, used by many calls."""

    url: httpx.URL
    origin: Origin

    @classmethod
    def of(cls, url: httpx.URL) -> "Destination":
        return cls(url, Origin.of(url))


class WireReply(msgspec.Struct, frozen=True, gc=False):
    """A reply, whole, as it came; `headers` with their names in the peer's case."""

    status: int
    headers: RawHeaders
    body: bytes


class Transport(Protocol):
    """What carries calls. `gateway.upstream.failures` says of its errors what they mean."""

    async def call(
        self, to: Destination, head: bytes, body: bytes, *, modifies: bool, deadline: float
    ) -> WireReply:
        """POST `body`. `head` is the request line and the header lines, each ended by CRLF, without
        Content-Length and the blank line; whoever builds it has validated it. `deadline` is a time of the
        running loop. Raises httpx's errors."""
        ...
