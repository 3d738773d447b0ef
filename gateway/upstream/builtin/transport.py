"""The gateway's own HTTP/1.1 transport: an httpx transport that says exactly what became of a call.

One pool per origin. A call takes a slot, writes its request in one go on a connection that was used a
moment ago or on a new one, and reads the reply. It refuses HTTP/2, outbound proxies, redirects and streamed
request bodies: nothing here needs them.

Failures are httpx's, each marked with its kind and with whether a byte was written
(gateway/upstream/failures.py, docs/reference/transport.md). Whatever happens, cancellation included, the
slot comes back.
"""

import asyncio
import ssl
from collections.abc import Coroutine
from typing import Any

import httpx

from gateway.upstream.builtin.dialing import Dialer
from gateway.upstream.builtin.request import encode, parts
from gateway.upstream.builtin.route import ReplyStream, Route, Terms
from gateway.upstream.extensions import BODY, Body
from gateway.upstream.options import TransportOptions
from gateway.upstream.stats import PoolStats
from gateway.upstream.tls import build_context
from gateway.upstream.wire import Destination, Origin, WireReply


class BuiltinTransport(httpx.AsyncBaseTransport):
    """For one event loop; `options` hold for each origin apart.

    A request's body has to be one buffer: `extensions.Body`, or what httpx makes of `content=bytes`.
    """

    def __init__(self, options: TransportOptions | None = None) -> None:
        self._options = options or TransportOptions()
        self._routes: dict[Origin, Route] = {}
        self._context = self._options.ssl_context
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<BuiltinTransport {list(self._routes.values())}>"

    def call(
        self, to: Destination, head: bytes, body: bytes, *, modifies: bool, deadline: float
    ) -> Coroutine[Any, Any, WireReply]:
        route = self._routes.get(to.origin) or self._open_route(to.origin)
        options = self._options
        terms = Terms(modifies, False, deadline, options.first_byte_timeout, options.connect_timeout)
        return route.call(parts(head, body), terms)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        encoded = encode(request)
        origin = Origin.of(request.url)
        route = self._routes.get(origin) or self._open_route(origin)
        terms = Terms.of(request.extensions, self._options)
        if terms.streamed:
            connection = await route.send(encoded, terms)
            reader = connection.reader
            return httpx.Response(
                reader.status, headers=reader.headers, stream=ReplyStream(route.pool, connection)
            )
        reply = await route.call(encoded, terms)
        return httpx.Response(
            reply.status, headers=reply.headers, stream=Body(reply.body), extensions={BODY: reply.body}
        )

    def stats(self) -> PoolStats:
        """Of all origins together."""
        return sum((route.pool.stats() for route in self._routes.values()), PoolStats())

    async def aclose(self) -> None:
        """Closes what idles and turns away what waits or comes; calls in progress end on their own."""
        self._is_closed = True
        for route in self._routes.values():
            route.pool.close()
        await asyncio.sleep(0)  # the loop takes closed connections down in its next turn

    def _open_route(self, origin: Origin) -> Route:
        dialer = Dialer.to(origin, self._options.uds, self._tls_context)
        route = self._routes[origin] = Route(self._options, dialer, asyncio.get_running_loop())
        if self._is_closed:
            route.pool.close()
        return route

    def _tls_context(self) -> ssl.SSLContext:
        """Made when first needed: reading the system's authorities takes tens of milliseconds."""
        if self._context is None:
            self._context = build_context()
        return self._context
