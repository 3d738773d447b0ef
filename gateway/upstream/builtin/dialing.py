"""Opens connections: name, addresses in order, TLS. What fails here fails before a byte was written."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.failures import Kind, marked
from gateway.upstream.wire import Origin

_PORTS = {b"http": 80, b"https": 443}


@dataclass(frozen=True, slots=True)
class Dialer:
    """How one origin is reached: `uds` carries connections instead of TCP, `context` is None without TLS."""

    origin: Origin
    uds: str | None
    context: ssl.SSLContext | None

    @classmethod
    def to(cls, origin: Origin, uds: str | None, tls: Callable[[], ssl.SSLContext]) -> "Dialer":
        """Raises UnsupportedProtocol for a URL that is not http or https, or names no host."""
        if origin.scheme not in _PORTS or not origin.host:
            raise marked(
                httpx.UnsupportedProtocol(f"not a place to call: {origin}"), "connect", written=False
            )
        return cls(origin, uds, tls() if origin.scheme == b"https" else None)

    async def dial(self, protocol: Callable[[], Connection], within: float) -> Connection:
        """A connection that can carry a call, in at most `within` seconds.

        Raises ConnectError or ConnectTimeout.
        """
        try:
            async with asyncio.timeout(within):
                sock = await self._connect(within)
                return await self._attach(sock, protocol)
        except TimeoutError as error:
            text = f"no connection within {within:g} seconds"
            raise marked(httpx.ConnectTimeout(text), "timeout", written=False) from error

    async def _connect(self, within: float) -> socket.socket:
        if self.uds is not None:
            return await _open_socket(socket.AF_UNIX, self.uds)
        loop = asyncio.get_running_loop()
        port = self.origin.port or _PORTS[self.origin.scheme]
        try:
            found = await loop.getaddrinfo(self.origin.host.decode(), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise _failed(f"the name cannot be resolved: {error}", "connect") from error
        return await open_first([(family, address) for family, _, _, _, address in found], within)

    async def _attach(self, sock: socket.socket, protocol: Callable[[], Connection]) -> Connection:
        """Lets the loop drive `sock`, behind TLS where the origin wants it."""
        loop = asyncio.get_running_loop()
        create = loop.create_connection if self.uds is None else loop.create_unix_connection
        name = None if self.context is None else self.origin.host.decode()
        try:
            _, connection = await create(protocol, sock=sock, ssl=self.context, server_hostname=name)
        except (
            OSError,
            ValueError,
        ) as error:  # ssl's errors are OSErrors; ValueError: a name that SNI cannot carry
            sock.close()
            raise _failed(str(error), "connect" if self.context is None else "tls") from error
        return connection


async def open_first(addresses: Sequence[tuple[int, Any]], within: float) -> socket.socket:
    """A socket connected to the first address that answers, tried in order. Raises ConnectError or
    TimeoutError.

    Each gets an equal share of the time that is left, so that one that drops packets cannot use up all of it.
    Addresses are pairs of an address family and what the socket module calls an address of it.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    failure: Exception = _failed("the name has no address", "connect")
    for position, (family, address) in enumerate(addresses):
        share = (end - loop.time()) / (len(addresses) - position)
        try:
            async with asyncio.timeout(share):
                return await _open_socket(family, address)
        except (httpx.ConnectError, TimeoutError) as error:
            failure = error
    try:
        raise failure
    finally:
        del failure  # else its traceback and this frame hold each other, and the call's body with them


async def _open_socket(family: int, address: Any) -> socket.socket:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:  # a family that this host does not have; the next address may be of another
        raise _failed(str(error), "connect") from error
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError as error:
        sock.close()
        raise _failed(str(error), "connect") from error
    except BaseException:
        sock.close()
        raise
    return sock


def _failed(text: str, kind: Kind) -> httpx.ConnectError:
    return marked(httpx.ConnectError(text), kind, written=False)
