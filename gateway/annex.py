"""A process beside this one, for work that would hold the interpreter: conversions of large bodies.

A body goes over as the bytes that it is, in writes that leave the interpreter to others; nothing of this
process but the body and plain values goes with it, so no token does. Nor does its environment, where a token
may be: not through multiprocessing, whose processes have it all, where others of the same user can read it.
The process has a bound on its memory and on the time for one piece of work; when it breaks the second it is
ended, and the next piece gets a new one.
"""

import gc
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gateway.hardening import forbid_dumps

PATIENCE = 45.0
"""Seconds for one piece of work: the slowest, a large reply written as XML, takes ten to twenty."""

MEMORY = 3 * 1024**3
"""Bytes of address space: two million elements of XML need a third of it."""

CONTAINER = Path("/sys/fs/cgroup/memory.max")
"""What a container may have (cgroup v2): a number of bytes, or `max`. It may be ended as a whole when it
takes more, so the process gets half of it at most."""

INHERITED = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "LANG", "LC_ALL")
"""Of the environment: what it takes to find Python and what it is made of."""

_NICENESS = 5  # what calls wait for comes first, also where there is one core


class TooMuchWorkError(Exception):
    """It took more time or memory than there is for one body, or its process was ended. The text may be
    shown."""


@dataclass(frozen=True, slots=True)
class _Running:
    process: "subprocess.Popen[bytes]"
    line: Connection


class Annex:
    """One process at a time, started when there is work. `do` is for one thread at a time, and blocks it."""

    def __init__(self, patience: float = PATIENCE, memory: int = MEMORY, container: Path = CONTAINER) -> None:
        self._patience = patience
        self._memory = min(memory, half_of(container))
        self._running: _Running | None = None
        self._is_closed = False

    def do(self, work: Callable[..., Any], body: bytes, *args: Any) -> Any:
        """`work(body, *args)`, a function of a module. Raises what it raises, and TooMuchWorkError."""
        running = self._open()
        try:
            running.line.send((work, args))
            running.line.send_bytes(body)
            if not running.line.poll(self._patience):
                raise TooMuchWorkError(f"it took longer than {self._patience:g} seconds")
            done, result = running.line.recv()
        except TooMuchWorkError:
            self._end()
            raise
        except (EOFError, OSError):
            # Ended by somebody, most likely for its memory.
            self._end()
            raise TooMuchWorkError("the process that did it was ended") from None
        if not done:
            raise result
        return result

    def close(self) -> None:
        """End the process, for good; what it does is lost. May be called from another thread than `do`."""
        self._is_closed = True
        self._end()

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.process.kill()
            running.process.wait()
            running.line.close()

    def _open(self) -> _Running:
        if self._running is not None and self._running.process.poll() is not None:
            self._end()
        running = self._running
        if running is None:
            running = self._running = _started(self._memory)
        if self._is_closed:  # perhaps while it was started: nobody else would end it
            self._end()
            raise TooMuchWorkError("the gateway is stopping")
        return running


def half_of(container: Path) -> int:
    """Half of what the container may have, in bytes; MEMORY where it has no bound, or is none."""
    try:
        text = container.read_text("ascii").strip()
    except OSError:
        return MEMORY
    return int(text) // 2 if text.isdecimal() else MEMORY


def _started(memory: int) -> _Running:
    """Not forked: a fork would have the memory of this process, tokens and all."""
    ours, theirs = socket.socketpair()
    environ = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with theirs:
        code = f"from gateway.annex import serve; serve({theirs.fileno()}, {memory})"
        process = subprocess.Popen(  # noqa: S603 - our own interpreter with our own code
            [sys.executable, "-P", "-c", code],
            env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what it has to say it says over the line
        )
    return _Running(process, Connection(ours.detach()))


def serve(descriptor: int, memory: int) -> None:
    """What the process does: one piece of work after another, until nobody gives any."""
    forbid_dumps()
    line = Connection(descriptor)
    # Ctrl-C goes to the whole group, and systemd's SIGTERM to the whole unit; what is being done is still
    # wanted while the gateway drains.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    with suppress(OSError, ValueError):  # not every system bounds it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with suppress(OSError):
        os.nice(_NICENESS)
    gc.disable()  # values made of bytes hold no cycles, and there are millions of them
    while True:
        try:
            work, args = line.recv()
            body = line.recv_bytes()
        except EOFError:
            return
        line.send(_end_of(work, body, args))
        del body
        gc.collect()


def _end_of(work: Callable[..., Any], body: bytes, args: tuple[Any, ...]) -> tuple[bool, Any]:
    try:
        return True, work(body, *args)
    except MemoryError:
        return False, TooMuchWorkError("it took more memory than there is for one body")
    except Exception as error:  # noqa: BLE001 - the owner of the work; it is handed on, not swallowed
        return False, error
