"""How the tests make transports and calls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx

from gateway.upstream.builtin.transport import BuiltinTransport
from gateway.upstream.extensions import BODY, DEADLINE, MODIFIES, STREAM, Body
from gateway.upstream.httpx_transport import HttpxTransport
from gateway.upstream.options import TransportOptions
from gateway.upstream.transports import TransportName, build

Transport = BuiltinTransport | HttpxTransport

PATIENT: dict[str, Any] = {"connect_timeout": 20.0, "first_byte_timeout": 20.0, "keepalive": 20.0}


@contextlib.asynccontextmanager
async def transport(kind: TransportName, **options: Any) -> AsyncIterator[Transport]:
    """A transport that waits long unless `options` say otherwise. It must end with nothing left over."""
    made = build(kind, TransportOptions(**{**PATIENT, **options}))
    try:
        yield made
    finally:
        await made.aclose()
    left = made.stats()
    assert (left.active, left.idle, left.waiting) == (0, 0, 0)


def request(
    url: str,
    body: bytes = b"{}",
    *,
    modifies: bool = True,
    stream: bool = False,
    deadline: float | None = None,
    headers: list[tuple[bytes, bytes]] | None = None,
    timeout: dict[str, float] | None = None,
) -> httpx.Request:
    extensions: dict[str, Any] = {MODIFIES: modifies, STREAM: stream}
    if deadline is not None:
        extensions[DEADLINE] = deadline
    if timeout is not None:
        extensions["timeout"] = timeout
    return httpx.Request("POST", url, headers=headers, stream=Body(body), extensions=extensions)


async def post(over: Transport, url: str, body: bytes = b"{}", **terms: Any) -> httpx.Response:
    return await over.handle_async_request(request(url, body, **terms))


def body_of(response: httpx.Response) -> bytes:
    body = response.extensions[BODY]
    assert isinstance(body, bytes)
    return body


def state(over: Transport) -> tuple[int, int, int]:
    """Active, idle, waiting."""
    stats = over.stats()
    return stats.active, stats.idle, stats.waiting


async def until(condition: Callable[[], bool]) -> None:
    """Gives the loop turns until `condition` holds."""
    while not condition():  # noqa: ASYNC110  # no event tells what happens inside a transport
        await asyncio.sleep(0)
