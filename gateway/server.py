"""The gateway on its socket: binding, uvicorn, signals, and the order of an end.

On SIGTERM or SIGINT the gateway says first that it is not ready, goes on accepting for `drain.delay`, lets
what runs end, and stops. A second signal ends the waiting. Refuses to exit the process: that is the command's
to do.
"""

import asyncio
import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from gateway.app import Gateway
from gateway.protocol import ListenerProtocol
from gateway.settings.sections import Listen

BACKLOG = 2048
SOCKET_MODE = 0o660  # of a Unix socket: whoever may open it may call


def bind(listen: Listen) -> socket.socket:
    """The listening socket. Raises OSError when the address is taken or not ours."""
    if listen.uds is not None:
        return _bind_unix(str(listen.uds))
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    return socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG)


def _bind_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        mask = os.umask(0o777 & ~SOCKET_MODE)  # the mode is right from the first moment
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: str) -> None:
    """Remove a socket that nobody listens on any more, as a crash leaves it; never a file of another kind."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)


def address(listener: socket.socket) -> str:
    """Where callers reach it, as they would write it."""
    name = listener.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"http://{host}:{name[1]}"


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: when to stop is decided here."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    gateway: Gateway, listener: socket.socket, announce: Callable[[], None]
) -> signal.Signals | None:
    """Run until a signal came, or the server ended by itself. Returns the signal.

    `gateway` has been started and is stopped here. `announce` is called when callers are answered.
    """
    drain, uds = gateway.settings.drain, gateway.settings.listen.uds
    server = _Server(uvicorn_config(gateway, drain.timeout), announce)
    received: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    with _signals(received, server):
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="listener")
        try:
            waiting: set[asyncio.Future[Any]] = {serving, received}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if received.done():
                gateway.drain()
                await asyncio.sleep(drain.delay)
        finally:
            server.should_exit = True
            await serving
            await gateway.stop(0 if server.force_exit else drain.timeout)
            if uds is not None:
                uds.unlink(missing_ok=True)
    return received.result() if received.done() else None


def uvicorn_config(gateway: Gateway, patience: float) -> uvicorn.Config:
    """How uvicorn serves `gateway`; `patience` is seconds for callers that do not take their answer."""
    return uvicorn.Config(
        gateway.application,
        http=ListenerProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # any local caller could forge X-Forwarded-For
        server_header=False,
        # Calls end by their own deadline; this bounds callers that do not take their answer.
        timeout_graceful_shutdown=max(1, round(patience)),
    )


@contextlib.contextmanager
def _signals(received: "asyncio.Future[signal.Signals]", server: uvicorn.Server) -> Iterator[None]:
    """The first signal begins the end; a second one ends the waiting for what still runs."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)

    def note(which: signal.Signals) -> None:
        if received.done():
            server.force_exit = True
        else:
            received.set_result(which)

    for which in caught:
        loop.add_signal_handler(which, note, which)
    try:
        yield
    finally:
        for which in caught:
            loop.remove_signal_handler(which)
