"""Processes of the bench: their cost is all of their cost, and none stays behind."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.process import BenchError, Started, free_port, running

# Two children burn 200 ms of CPU and hold 64 MB each. The first has ended when the port opens, the second has
# not: it reads from a pipe whose other end closes with its parent.
FAMILY = """
import os, socket, sys, time

def burn():
    held = b"x" * 64_000_000
    while time.process_time() < 0.2:
        pass
    return held

if os.fork() == 0:
    burn()
    os._exit(0)
os.wait()
reading, writing = os.pipe()
burnt, tell = os.pipe()
if os.fork() == 0:
    os.close(writing)
    held = burn()
    os.write(tell, b".")
    os.read(reading, 1)
    os._exit(0)
os.read(burnt, 1)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listening:
    while True:
        listening.accept()[0].close()
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Started]:
    port = free_port()
    command = [sys.executable, "-c", FAMILY, str(port)]
    with running("a family", command, port, tmp_path, os.environ) as started:
        yield started


def test_the_cpu_of_children_counts_whether_they_ended_or_not(family: Started) -> None:
    assert family.cpu_seconds() >= 0.39  # each of the two rounded down to a tick


def test_the_memory_of_children_counts(family: Started) -> None:
    assert family.peak_bytes() > 64_000_000


def test_a_process_is_gone_when_its_block_ends(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with (
        pytest.raises(KeyboardInterrupt),
        running("a server", command, port, tmp_path, os.environ) as started,
    ):
        raise KeyboardInterrupt
    assert not Path(f"/proc/{started.pid}").exists()


def test_what_a_process_said_is_in_the_error_when_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the address is mine')"]
    with (
        pytest.raises(BenchError, match=r"(?s)a server did not start.*the address is mine"),
        running("a server", command, free_port(), tmp_path, os.environ),
    ):
        pass
