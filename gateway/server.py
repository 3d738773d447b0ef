"""The gateway on its socket: binding, uvicorn, signals, and the order of an end.

On SIGTERM or SIGINT the gateway says first that it is not ready, goes on accepting for `drain.delay`, lets
what runs end, and stops, all of it `drain.timeout` later at most. A second signal ends the waiting. SIGHUP
has the configuration read again. Refuses to exit the process: that is the command's
to do.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import stat
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

import uvicorn

from gateway import collector
from gateway.app import Gateway
from gateway.occurrence import event
from gateway.protocol import ListenerProtocol
from gateway.settings.sections import Listen

log = logging.getLogger(__name__)

BACKLOG = 2048
OTHER_FILES = 100  # open files that are no connection, generously
SOCKET_MODE = 0o660  # of a Unix socket: whoever may open it may call


def bind(listen: Listen) -> socket.socket:
    """The listening socket. Raises OSError when the address is taken or not ours."""
    try:
        if listen.uds is not None:
            return _bind_unix(str(listen.uds))
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        return socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG)
    except OSError as error:
        number = error.errno or 0
        why = os.strerror(number) if number >= 0 else "the name cannot be resolved"  # the resolver's: below 0
        where = listen.uds or f"{listen.host}:{listen.port}"
        raise OSError(number, f"cannot listen on {where}: {why}") from error


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
        collector.settle()
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
    loop, uds = asyncio.get_running_loop(), gateway.settings.listen.uds
    _allow_files(gateway.settings.limits.connections + gateway.settings.upstream.max_connections)
    server = _Server(uvicorn_config(gateway, gateway.settings.drain.timeout), announce)
    stopping = _Stopping(asyncio.Event(), asyncio.Event())
    with _signals(stopping, server, gateway.request_reload):
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="listener")
        try:
            await _first(serving, stopping.wanted.wait())
            if stopping.wanted.is_set():
                gateway.drain()
                await _first(asyncio.sleep(gateway.settings.drain.delay), stopping.at_once.wait())
        finally:
            # One deadline for all that is still running: its callers first, then what they left behind.
            patience = gateway.settings.drain.timeout
            end = loop.time() + patience
            server.config.timeout_graceful_shutdown = _whole(patience)  # a reload may have changed it
            server.should_exit = True
            await serving
            await _cancel(server.server_state.tasks)  # a second signal leaves them running
            await gateway.stop(0 if stopping.at_once.is_set() else max(0.0, end - loop.time()))
            if uds is not None:
                uds.unlink(missing_ok=True)
    return stopping.by


def _allow_files(connections: int) -> None:
    """Let the process have so many connections: each is a file, and many systems allow 1024 unless asked."""
    wanted = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("the system allows %d open files; limits.connections wants %d", allowed, wanted)


async def _cancel(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """End them now, and wait until each has told its caller so."""
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@dataclass
class _Stopping:
    """What the signals have said so far."""

    wanted: asyncio.Event
    at_once: asyncio.Event
    by: signal.Signals | None = None


async def _first(*waited: Awaitable[object]) -> None:
    """Wait for whichever ends first; a task that was handed in goes on, the rest is given up."""
    tasks = {asyncio.ensure_future(one) for one in waited}
    _, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in late.difference(waited):
        task.cancel()


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
        timeout_graceful_shutdown=_whole(patience),
    )


def _whole(seconds: float) -> int:
    return max(1, round(seconds))  # uvicorn takes no parts of a second, and 0 for no bound


@contextlib.contextmanager
def _signals(
    stopping: _Stopping, server: uvicorn.Server, reload: Callable[[], None] | None
) -> Iterator[None]:
    """The first signal begins the end; a second one ends the waiting for what still runs. Without `reload`,
    SIGHUP means what it means to every process: the terminal is gone."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)

    def note(which: signal.Signals) -> None:
        if stopping.wanted.is_set():
            server.force_exit = True
            stopping.at_once.set()
            return
        log.info(
            "%s: no longer ready; what is under way may end",
            which.name,
            extra=event("stopping", signal=which.name),
        )
        stopping.by = which
        stopping.wanted.set()

    for which in caught:
        loop.add_signal_handler(which, note, which)
    if reload is not None:
        loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        for which in (*caught, signal.SIGHUP):
            loop.remove_signal_handler(which)
