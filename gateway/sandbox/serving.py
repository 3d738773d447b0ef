"""The sandbox on a port: in the caller's event loop, in a thread of its own, or as a process's whole work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.tokens import sample_tokens
from gateway.sandbox.web import application
from gateway.sandbox.wire import SandboxProtocol, cut

BASE_PATH = "/api/v1.1"


@asynccontextmanager
async def running(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serves `sandbox` in the running loop; gives its base URL, ready for `upstream.base_url`.

    Port 0 is a free one. Raises `OSError` when the port is taken. At the end calls still running are
    cancelled: a stalled one would never end.
    """
    config = Config(
        application(sandbox),
        log_config=None,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: SandboxProtocol(config, state, sandbox.faults.take_refusal), host, port
    )
    bound_port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound_port}{BASE_PATH}"
    finally:
        server.close()
        sandbox.faults.end_stalls()
        await _close_connections(state)
        await server.wait_closed()


async def _close_connections(state: ServerState) -> None:
    for connection in list(state.connections):
        cut(connection.transport)
    await asyncio.sleep(0)  # until the server knows that they are gone, and calls that only waited have ended
    tasks = list(state.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def running_in_thread(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """As `running`, for code without an event loop: the sandbox gets a thread with its own."""
    started: Future[str] = Future()
    stop: Future[None] = Future()

    async def hold() -> None:
        async with running(sandbox, host, port) as base_url:
            started.set_result(base_url)
            await asyncio.wrap_future(stop)

    with ThreadPoolExecutor(1, "sandbox") as executor:
        held = executor.submit(asyncio.run, hold())
        awaited: list[Future[Any]] = [started, held]
        wait(awaited, return_when=FIRST_COMPLETED)
        if held.done():
            held.result()
        try:
            yield started.result()
        finally:
            stop.set_result(None)
            held.result()


async def serve(
    announce: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 9000,
    tokens: Sequence[str] = (),
    latency: float = 0.0,
    seed: int = 0,
) -> None:
    """Runs until cancelled; `gateway sandbox` is this. `announce` gets the text that says how to call it.

    `latency` in seconds; without `tokens` the default one is taken. Raises `OSError` when the port is taken.
    """
    chosen = sample_tokens(*tokens)
    sandbox = Sandbox(chosen, Options(seed=seed, latency=latency))
    async with running(sandbox, host, port) as base_url:
        announce(introduction(base_url, chosen[0].value))
        await asyncio.Event().wait()


def introduction(base_url: str, token: str) -> str:
    """What a newcomer reads first: calls to copy, for JSON, XML, a fault and the list of calls."""
    origin = base_url.removesuffix(BASE_PATH)
    return f"""\
The sandbox answers like the platform at {base_url} (token: {token}).

A read, in JSON:
  curl {base_url}/profiles/get -H 'Content-Type: application/json' \\
    -d '{{"token": "{token}", "db_id": 1, "email": "customer1@example.com"}}'

A write, in XML; sent again with the same Request-ID it is not run twice:
  curl '{base_url}/profiles/import?format=xml' -H 'Content-Type: application/xml' -H 'Request-ID: first' \\
    -d '<xml><token>{token}</token><db_id>1</db_id><email>jim@example.com</email>'\\
'<data><_fname>Jim</_fname></data></xml>'

The next profiles/import is run, but its answer is lost:
  curl {origin}/-/faults -d '{{"kind": "reset", "api_method": "profiles/import", "when": "after"}}'

What it received, and what became of it:
  curl {origin}/-/calls

Back to the sample data:
  curl -X POST {origin}/-/reset
"""
