"""Callers that are slow on purpose: five hundred at once keep nobody waiting, and cost bounded memory."""

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller
from tests.e2e.conftest import TOKEN, Platform, settings_for
from tests.e2e.process import Running, serving

pytestmark = pytest.mark.anyio

SLOW = 500
CALLS = 200  # of the normal caller
EACH_MAY_COST = (
    256 * 1024
)  # bytes: what is taken in of a body before it is wanted, twice over, and its objects

HEAD = f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n".encode()
BODY = b'{"id": 1}'
CALL = HEAD + b"Content-Length: 9\r\n\r\n" + BODY

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def served(platform: Platform, tmp_path: Path) -> Iterator[Running]:
    wanted = 4 * SLOW
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))
    try:
        with serving(tmp_path, settings_for(platform.base_url), {"TOKEN": TOKEN}) as gateway:
            yield gateway
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def slow_head(connection: Connection, count: int) -> None:
    await trickle(connection[1], CALL[: len(HEAD) - 2], count)


async def slow_body(connection: Connection, count: int) -> None:
    connection[1].write(HEAD + b"Content-Length: 100000\r\n\r\n{")
    await trickle(connection[1], b" " * 100, count)


async def slow_chunks(connection: Connection, count: int) -> None:
    connection[1].write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    await trickle(connection[1], b"1\r\n{\r\n" + b"1\r\n \r\n" * 20, count)


async def slow_reading(connection: Connection, count: int) -> None:
    """Asks for a long page, and takes a byte of it a second."""
    if count == 0:
        connection[1].write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await connection[0].read(1)


async def trickle(writer: asyncio.StreamWriter, content: bytes, count: int) -> None:
    writer.write(content[count : count + 1] or b" ")


Way = Callable[[Connection, int], Awaitable[None]]


@asynccontextmanager
async def slow_callers(caller: Caller, way: Way) -> AsyncIterator[list[Connection]]:
    """All of them at it, a byte a second each, as long as the block runs."""
    host, port = caller.authority.rsplit(":", 1)
    connections = [await asyncio.open_connection(host, int(port), limit=1024) for _ in range(SLOW)]
    count = 0
    for connection in connections:
        await way(connection, count)

    async def go_on() -> None:
        nonlocal count
        while True:
            await asyncio.sleep(1)
            count += 1
            for connection in connections:
                await way(connection, count)

    going_on = asyncio.create_task(go_on())
    try:
        yield connections
    finally:
        going_on.cancel()
        for _, writer in connections:
            writer.transport.abort()
        await asyncio.gather(going_on, return_exceptions=True)


def memory(pid: int) -> int:
    """Bytes that a process holds (VmRSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) * 1024


@pytest.mark.full
@pytest.mark.parametrize(
    "way", [slow_head, slow_body, slow_chunks, slow_reading], ids=lambda way: way.__name__
)
async def test_slow_callers_keep_nobody_waiting_and_cost_little(
    served: Running, sandbox: Sandbox, way: Way
) -> None:
    """By the order of events: the normal caller is done while every slow one is still at it."""
    await asyncio.to_thread(served.caller.json, "databases/get", id=1)
    before = memory(served.process.pid)
    async with asyncio.timeout(PATIENCE * 3), slow_callers(served.caller, way) as slow:
        replies = await asyncio.to_thread(lambda: [served.caller.exchange(CALL).error for _ in range(CALLS)])
        held = memory(served.process.pid) - before
        still_at_it = [not writer.is_closing() and not reader.at_eof() for reader, writer in slow]
    assert replies == [0] * CALLS
    assert still_at_it == [True] * SLOW
    assert held < SLOW * EACH_MAY_COST
