"""httpx's own transport behind the gateway's promises: the same extensions, limits and deadline.

httpcore 1.0 loses a slot of its pool for ever when a call is cancelled, or when its PoolTimeout fires,
while others wait (encode/httpcore#1093). So two things are kept away from it: waiting (a semaphore as large
as the pool stands in front) and cancellation (each call runs in a task of its own; whoever gives up leaves
it behind, and it ends by httpx's own timeouts). It refuses what the semaphore cannot give: exactness about
written bytes.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable

import httpx

from gateway.upstream.extensions import BODY, DEADLINE, HEAD, STREAM, Body
from gateway.upstream.failures import marked
from gateway.upstream.options import TransportOptions
from gateway.upstream.stats import PoolStats
from gateway.upstream.wire import Destination, WireReply


class HttpxTransport(httpx.AsyncBaseTransport):
    """One httpx pool for every origin; `options.max_connections` bounds them together."""

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._inner = httpx.AsyncHTTPTransport(
            verify=options.ssl_context or True,
            trust_env=False,
            retries=0,
            uds=options.uds,
            limits=httpx.Limits(
                max_connections=options.max_connections,
                max_keepalive_connections=options.max_connections,
                keepalive_expiry=options.keepalive,
            ),
        )
        self._slots = asyncio.Semaphore(options.max_connections)
        self._active = 0
        self._waiting = 0
        self._tasks: set[asyncio.Task[httpx.Response]] = set()
        self._closers: set[asyncio.Task[None]] = set()

    async def call(
        self, to: Destination, head: bytes, body: bytes, *, modifies: bool, deadline: float
    ) -> WireReply:
        extensions = {HEAD: head, DEADLINE: deadline}  # it looks into no kernel, whatever the call does
        request = httpx.Request("POST", to.url, stream=Body(body), extensions=extensions)
        response = await self.handle_async_request(request)
        return WireReply(response.status_code, response.headers.raw, response.extensions[BODY])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = request.extensions.get(DEADLINE, math.inf)
        inner = self._as_httpx_wants_it(request)
        await self._take_slot(deadline, inner.extensions["timeout"].get("pool"))
        task = asyncio.create_task(self._attempt(inner, deadline), name="httpx call")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                return await asyncio.shield(task)
        except TimeoutError as error:
            task.add_done_callback(self._discard)
            raise marked(httpx.ReadTimeout("the deadline passed"), "timeout", written=True) from error
        except asyncio.CancelledError:
            task.add_done_callback(self._discard)
            raise

    def stats(self) -> PoolStats:
        """httpx shows its idle connections nowhere but in a repr, so its pool is asked, scan and all."""
        idle = sum(connection.is_idle() for connection in self._inner._pool.connections)
        return PoolStats(self._active, idle, self._waiting)

    async def aclose(self) -> None:
        """Waits for calls that were left behind: cancelling them is what this class exists to avoid."""
        while waiting := [*self._tasks, *self._closers]:
            await asyncio.wait(waiting)
        await self._inner.aclose()

    async def _take_slot(self, deadline: float, limit: float | None) -> None:
        loop = asyncio.get_running_loop()
        until = min(deadline, math.inf if limit is None else loop.time() + limit)
        if loop.time() >= deadline:
            raise httpx.PoolTimeout("the deadline passed before the call")
        try:
            self._waiting += 1
            async with asyncio.timeout_at(None if until == math.inf else until):
                await self._slots.acquire()
        except TimeoutError as error:
            raise httpx.PoolTimeout("no connection became free in time") from error
        finally:
            self._waiting -= 1
        self._active += 1

    def _give_slot_back(self) -> None:
        self._active -= 1
        self._slots.release()

    async def _attempt(self, request: httpx.Request, deadline: float) -> httpx.Response:
        """One call; gives the slot back itself, or by the stream it returns."""
        streamed = False
        try:
            response = await self._inner.handle_async_request(request)
            await self._check_head(response)
            if request.extensions.get(STREAM, False):
                response.stream = _SlotStream(response.stream, self._give_slot_back)
                streamed = True
                return response
            try:
                body = await self._read(response, deadline)
            finally:
                await response.aclose()
            return _buffered(response, body)
        finally:
            if not streamed:
                self._give_slot_back()

    async def _check_head(self, response: httpx.Response) -> None:
        """Late, but in time for whoever reads it: h11 has its own limit of 100 KiB and none on the count."""
        raw = response.headers.raw
        size = sum(len(name) + len(value) + len(b": \r\n") for name, value in raw)
        if len(raw) > self._options.headers or size > self._options.header_bytes:
            await response.aclose()
            raise marked(httpx.RemoteProtocolError("a head larger than the limits"), "protocol", written=True)

    async def _read(self, response: httpx.Response, deadline: float) -> bytes:
        """The raw body within `reply_bytes`; checks the deadline itself, as nobody may cancel this task."""
        loop = asyncio.get_running_loop()
        pieces: list[bytes] = []
        size = 0
        assert isinstance(response.stream, httpx.AsyncByteStream)
        async for piece in response.stream:
            size += len(piece)
            pieces.append(piece)
            if size > self._options.reply_bytes:
                text = f"the reply is larger than {self._options.reply_bytes} bytes"
                raise marked(httpx.RemoteProtocolError(text), "protocol", written=True)
            if loop.time() > deadline:
                raise marked(httpx.ReadTimeout("the deadline passed"), "timeout", written=True)
        return b"".join(pieces)

    def _as_httpx_wants_it(self, request: httpx.Request) -> httpx.Request:
        options = self._options
        timeout = {
            "connect": options.connect_timeout,
            "read": options.first_byte_timeout,
            "write": options.first_byte_timeout,
            "pool": None,
            **(request.extensions.get("timeout") or {}),
        }
        return httpx.Request(
            request.method,
            request.url,
            headers=_headers(request),
            stream=request.stream,
            extensions={**request.extensions, "timeout": timeout},
        )

    def _discard(self, task: asyncio.Task[httpx.Response]) -> None:
        """Ends what a call left behind brought back."""
        if not task.cancelled() and task.exception() is None:
            closer = asyncio.get_running_loop().create_task(task.result().aclose(), name="httpx close")
            self._closers.add(closer)
            closer.add_done_callback(self._closers.discard)


class _SlotStream(httpx.AsyncByteStream):
    """A streamed body that gives the slot back when it is closed."""

    def __init__(self, stream: object, release: Callable[[], None]) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._release: Callable[[], None] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece

    async def aclose(self) -> None:
        release, self._release = self._release, None
        try:
            await self._stream.aclose()
        finally:
            if release is not None:
                release()


def _buffered(response: httpx.Response, body: bytes) -> httpx.Response:
    return httpx.Response(
        response.status_code,
        headers=response.headers,
        stream=Body(body),
        extensions={**response.extensions, BODY: body},
    )


def _headers(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """All that h11 needs: it writes what it is given and adds nothing."""
    head: bytes | None = request.extensions.get(HEAD)
    headers = request.headers.raw if head is None else [_header(line) for line in head.split(b"\r\n")[1:-1]]
    if not any(name.lower() == b"host" for name, _ in headers):
        headers = [(b"Host", request.url.netloc), *headers]
    if isinstance(request.stream, Body):
        headers = [pair for pair in headers if pair[0].lower() != b"content-length"]
        headers.append((b"Content-Length", b"%d" % len(request.stream.body)))
    return headers


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name, value.strip()
