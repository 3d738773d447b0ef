"""The connection below HTTP: refused, cut with a RST, or given bytes that no server would send.

It builds on uvicorn's httptools protocol, which is not a public interface; the version is pinned, and the
tests of this package send every fault over a real socket.
"""

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from typing import Any, cast

from starlette.types import Message, Receive, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

_EXTENSION = "sandbox.transport"
# Linger on, for no time: closing then sends a RST and drops what was not yet sent (socket(7), SO_LINGER).
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_UPGRADE = re.compile(rb"\r\nupgrade(?=[ \t]*:)", re.IGNORECASE)


class SandboxProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the transport in the scope and a say in whether a connection is taken.

    It never upgrades: Java's HttpClient offers HTTP/2 with its first call, and httptools would take the body
    of that call for the other protocol. RFC 9110 section 7.8 lets a server ignore the offer, so httptools
    does not get to see it.
    """

    _is_in_head = True

    def __init__(self, config: Config, server_state: ServerState, is_refused: Callable[[], bool]) -> None:
        super().__init__(config, server_state, app_state={})
        self._is_refused = is_refused

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        super().connection_made(transport)
        if self._is_refused():
            cut(transport)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            head, end, body = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\r\nx-ignored-upgrade", head) + end + body
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head = True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # uvicorn types the scope as a TypedDict that allows no extension but its own.
        scope = cast(dict[str, Any], self.scope)
        scope["extensions"] = {_EXTENSION: self.transport}


async def reset(scope: Scope, receive: Receive) -> None:
    """Cuts the connection with a RST."""
    cut(_transport(scope))
    await _gone(receive)


async def write_and_close(scope: Scope, receive: Receive, data: bytes) -> None:
    """Writes `data` as it is and closes the connection in the ordinary way."""
    transport = _transport(scope)
    transport.write(data)
    transport.close()
    await _gone(receive)


def _transport(scope: Scope) -> asyncio.Transport:
    transport = scope.get("extensions", {}).get(_EXTENSION)
    if transport is None:
        raise RuntimeError("this fault needs the sandbox's own server: gateway.sandbox.serving")
    return cast(asyncio.Transport, transport)


def cut(transport: asyncio.BaseTransport) -> None:
    """Ends the connection at once, with a RST; nothing to do where the other side was quicker."""
    taken = cast(asyncio.Transport, transport)
    if taken.is_closing():
        return
    taken.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
    taken.abort()


async def _gone(receive: Receive) -> None:
    """Until the server noticed that the connection is gone: it answers for an application that is silent."""
    message: Message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
