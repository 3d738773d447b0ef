"""A request that no call is, on its way into an ASGI application: uvicorn's own cycle, fed by our connection.

For the control plane and for downloads, where comfort counts for more than microseconds. uvicorn's cycle is
not a public interface; its version is pinned, and the tests of the listener hold it to what is used here.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from gateway import errors
from gateway.exchange import HIGH_WATER
from gateway.head import Head

Address = tuple[str, int | None] | None
"""As ASGI wants it; None for a Unix socket's peer."""

log = logging.getLogger(__name__)


class Door:
    """What the requests of one connection have in common."""

    def __init__(
        self,
        application: ASGIApp,
        transport: asyncio.Transport,
        flow: FlowControl,
        state: ServerState,
        addresses: tuple[Address, Address],
    ) -> None:
        """`addresses` are ours and the caller's."""
        self.application = application
        self.transport = transport
        self.flow = flow
        self.state = state
        self.server, self.client = addresses

    @property
    def peer(self) -> str:
        """Who calls, for the log."""
        if self.client is None:
            return "a Unix socket"
        host, port = self.client
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class AsgiExchange:
    """One request. The same to its connection as an `exchange.Exchange`."""

    def __init__(
        self,
        door: Door,
        head: Head,
        fields: list[tuple[bytes, bytes]],
        answered: Callable[[], None],
    ) -> None:
        """`fields` are all header fields, with lower-case names."""
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": head.version,
            "server": door.server,
            "client": door.client,
            "scheme": "http",
            "method": head.method,
            "root_path": "",
            "path": unquote(head.path.decode("ascii", "replace")),
            "raw_path": head.path,
            "query_string": head.query,
            "headers": fields,
            "state": {},
        }
        self.is_whole = False
        self.trouble: errors.CallError | None = None
        self._door = door
        self._cycle = RequestResponseCycle(
            scope=scope,
            transport=door.transport,
            flow=door.flow,
            logger=log,
            access_logger=log,
            access_log=False,
            default_headers=door.state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=head.asks_first,
            keep_alive=head.keep_alive,
            on_response=answered,
        )

    @property
    def is_answered(self) -> bool:
        return self._cycle.response_complete

    @property
    def keep_alive(self) -> bool:
        return self._cycle.keep_alive

    @keep_alive.setter
    def keep_alive(self, value: bool) -> None:
        self._cycle.keep_alive = value

    async def run(self) -> None:
        application: Any = self._door.application
        await self._cycle.run_asgi(application)

    def feed(self, piece: bytes) -> None:
        """Another piece of the body. What comes behind the answer is dropped."""
        cycle = self._cycle
        if cycle.response_complete:
            return
        cycle.body += piece
        if len(cycle.body) > HIGH_WATER:
            self._door.flow.pause_reading()
        cycle.message_event.set()

    def end(self) -> None:
        """The request is whole."""
        self.is_whole = True
        self._cycle.more_body = False
        self._cycle.message_event.set()

    def fail(self, trouble: errors.CallError) -> None:
        """The request will never be whole. To the application its caller is gone, and the connection answers
        for it, unless it has begun to."""
        if not self._cycle.response_started:
            self.trouble = trouble
        self.leave()

    def leave(self) -> None:
        """The connection is lost."""
        self._cycle.disconnected = not self._cycle.response_complete
        self._cycle.message_event.set()
