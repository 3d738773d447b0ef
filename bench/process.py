"""Processes of the bench: started on free ports, waited for, accounted for, and ended by their id. Linux
only: the figures are the operating system's own, from /proc."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # per second, of the CPU times in /proc
START = 60.0  # seconds a process may take until it accepts connections
END = 10.0  # seconds it may take to stop


class BenchError(Exception):
    """The bench cannot go on, or its figures would mean nothing. The text is for the person who runs it."""


@dataclass(frozen=True, slots=True)
class Started:
    """A serving process that accepts connections."""

    name: str
    pid: int
    port: int

    def family(self) -> list[int]:
        """The ids of the process and of its descendants."""
        return _family(self.pid)

    def cpu_seconds(self) -> float:
        """User and system time so far, of the process and of its descendants, also of those that ended."""
        return sum(sum(map(int, _stat(pid)[11:15])) for pid in self.family()) / TICKS

    def resident_bytes(self) -> int:
        """The memory it holds now, its descendants' included (VmRSS)."""
        return sum(_memory(pid, "VmRSS") for pid in self.family())

    def peak_bytes(self) -> int:
        """The most memory it held at any time, its descendants' included (VmHWM)."""
        return sum(_memory(pid, "VmHWM") for pid in self.family())


def executable(name: str) -> str | None:
    """Where a tool is: on the PATH, or beside our Python, where pip puts what a wheel brings."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), beside)))


def tool(name: str) -> str:
    """The path of a tool that has to be there. Raises BenchError."""
    path = executable(name)
    if path is None:
        raise BenchError(f"{name} is not installed")
    return path


def environ() -> dict[str, str]:
    """Ours, without settings of a gateway that somebody exported."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str, command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]
) -> Iterator[Started]:
    """The process, as long as the block runs. What it prints goes to a file in `folder`, and into the error
    if it does not start."""
    output = folder / "output"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=dict(environment)
        )
    try:
        if not _accepts(process, port):
            said = output.read_text(errors="replace")[-2000:]
            raise BenchError(f"{name} did not start: {' '.join(command)}\n{said}")
        yield Started(name, process.pid, port)
    finally:
        _end(process)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules, whatever the current folder is."""
    return [sys.executable, "-m", module, *arguments]


def _accepts(process: "subprocess.Popen[bytes]", port: int) -> bool:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _family(root: int) -> list[int]:
    """Read from every process's parent: not every kernel lists children."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):  # it ended while we looked
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
    found = [root]
    for pid in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _stat(pid: int) -> list[str]:
    """The fields of proc(5)'s `stat` after the name, which may hold spaces: utime is the twelfth of them."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _memory(pid: int, kind: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    raise BenchError(f"/proc/{pid}/status does not say {kind}")
