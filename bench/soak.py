"""`make soak`: many mixed calls through a gateway whose platform fails now and then, and what is left.

    python -m bench.soak [--calls 1000000] [--callers 32]

What has to hold: no answer is another one than its call may get; memory is flat once the stores are full;
when all is over, no call, flight or connection is left, and the gateway had no error of its own. Exits with 1
if not.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.request import urlopen

import httptools
import uvloop

from bench.cases import REPLY, TOKEN
from bench.process import BenchError, Started, environ, free_port, python, running
from bench.progress import Progress
from bench.traffic import Sent, call
from gateway import terminal

STEPS = 50
FULL = 0.2  # the share of the calls after which the stores are full
GROWTH = 0.10  # of memory, from there to the end
ENOUGH = 200_000  # calls before memory says anything: Python's allocator settles slowly
PATIENCE = 90.0  # seconds for an answer: more than a call may take
GAUGES = ("gateway_requests_in_progress", "gateway_requests_queued", "gateway_flights_in_progress")

CONFIG = """
listen: {{port: {port}}}
upstream:
  base_url: http://127.0.0.1:{upstream}/api/v1.1
  keepalive: 2s
  retries: {{backoff: 5ms}}
token: {{env: PLATFORM_TOKEN}}
cache: {{max_bytes: 1MiB}}
dedup: {{max_bytes: 1MiB}}
drain: {{delay: 0s}}
methods:
  profiles/get: {{ttl: 30s}}
"""

_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Platform(asyncio.Protocol):
    """One connection of the gateway. Of a thousand calls about fifteen do not go well."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        kind = self._chance.randrange(1000)
        if kind < 2:
            self._transport.abort()
        elif kind < 4:
            self._transport.write(_HEAD % (b"200 OK", len(REPLY)) + REPLY[:50])
            self._transport.close()
        elif kind < 6:
            self._answer(b"200 OK", b"<html>not what was asked for</html>")
        elif kind < 8:
            self._answer(b"503 Service Unavailable", b"{}")
        elif kind < 13:
            self._answer(b"200 OK", b'{"error":404,"error_text":"nobody"}')
        elif kind < 16:
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, self._answer, b"200 OK", REPLY)
        else:
            self._answer(b"200 OK", REPLY)

    def _answer(self, status: bytes, body: bytes) -> None:
        self._transport.write(_HEAD % (status, len(body)) + body)


@dataclass
class Tally:
    """What came of the calls so far."""

    answers: Counter[int] = field(default_factory=Counter)
    left: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return self.answers.total() + self.left


class Caller:
    """One application: a call after the other on a kept connection."""

    def __init__(self, port: int, tally: Tally) -> None:
        self._port = port
        self._tally = tally
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, sent: Sent) -> None:
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._connection
        writer.write(sent.request)
        if sent.leaves:
            self._tally.left += 1
            await self.close()
            return
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
        status = int(head[9:12])
        self._tally.answers[status] += 1
        if status not in sent.statuses:
            self._tally.wrong.append(f"{sent.request[:60]!r} was answered {status} {body[:200]!r}")
        if b"\r\nconnection: close" in head.lower():
            await self.close()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line[15:])
    raise BenchError(f"an answer without a length: {head!r}")


@dataclass(frozen=True, slots=True)
class Sample:
    calls: int
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was seen. Memory in bytes."""

    tally: Tally
    seconds: float
    rest: Sample
    samples: Sequence[Sample]
    left: Mapping[str, float]  # gauges that are not 0 when all is over
    errors: Sequence[str]  # lines of the gateway's log

    def full(self) -> Sample:
        """The first one with full stores."""
        return next(sample for sample in self.samples if sample.calls >= FULL * self.tally.calls)

    def slope(self) -> float:
        """Bytes per call since then, by least squares."""
        since = [sample for sample in self.samples if sample.calls >= self.full().calls]
        xs, ys = [float(each.calls) for each in since], [float(each.bytes) for each in since]
        return statistics.linear_regression(xs, ys).slope

    def faults(self) -> list[str]:
        """What does not hold, a line each."""
        last, full = self.samples[-1], self.full()
        found = [f"a wrong answer: {line}" for line in self.tally.wrong[:10]]
        found += [f"{name} is {value:g} when all is over" for name, value in self.left.items()]
        found += [f"the gateway logged: {line}" for line in self.errors[:10]]
        if last.files > self.rest.files + 2:
            found.append(f"{last.files} files are open, {self.rest.files} were")
        if self.tally.calls >= ENOUGH and last.bytes > full.bytes * (1 + GROWTH):
            found.append(f"memory went from {full.bytes / 1e6:.1f} to {last.bytes / 1e6:.1f} MB")
        return found


async def soak(calls: int, callers: int, progress: Progress) -> Soaked:
    chance = random.Random(1)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Platform(chance), "127.0.0.1", 0)
    with tempfile.TemporaryDirectory(prefix="soak-") as made:
        folder, port = Path(made), free_port()
        upstream = server.sockets[0].getsockname()[1]
        (folder / "config.yaml").write_text(CONFIG.format(port=port, upstream=upstream))
        command = python("gateway", "serve", "--config", str(folder / "config.yaml"))
        with running("gateway", command, port, folder, {**environ(), "PLATFORM_TOKEN": TOKEN}) as gateway:
            soaked = await _through(gateway, calls, callers, chance, progress)
        lines = (folder / "output").read_text().splitlines()
    server.close()
    errors = [line for line in lines if json.loads(line).get("level") == "error"]
    return Soaked(*soaked, errors)


async def _through(
    gateway: Started, calls: int, callers: int, chance: random.Random, progress: Progress
) -> tuple[Tally, float, Sample, Sequence[Sample], Mapping[str, float]]:
    tally, began = Tally(), time.monotonic()
    rest, samples = _sample(gateway, 0), []
    numbers = iter(range(calls))
    people = [Caller(gateway.port, tally) for _ in range(callers)]

    async def work(caller: Caller, until: int) -> None:
        while tally.calls < until and (number := next(numbers, None)) is not None:
            await caller.send(call(number, chance))

    for step in range(STEPS):
        progress(f"{tally.calls} calls, {gateway.resident_bytes() / 1e6:.1f} MB")
        until = calls * (step + 1) // STEPS
        await asyncio.gather(*(work(caller, until) for caller in people))
        samples.append(_sample(gateway, tally.calls))
    for caller in people:
        await caller.close()
    left = await _what_is_left(gateway, rest.files)
    samples.append(_sample(gateway, tally.calls))
    return tally, time.monotonic() - began, rest, samples, left


async def _what_is_left(gateway: Started, files: int) -> Mapping[str, float]:
    """Gauges that are not 0, once nothing changes them any more."""
    for _ in range(600):  # flights whose callers left have a minute to end, kept connections two seconds
        gauges = await asyncio.to_thread(_gauges, gateway.port)
        left = {name: value for name, value in gauges.items() if value}
        if not left and _sample(gateway, 0).files <= files + 2:
            break
        await asyncio.sleep(0.1)
    return left


def _gauges(port: int) -> Mapping[str, float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        rows = [line.rpartition(" ") for line in reply.read().decode().splitlines()]
    return {
        name: float(value)
        for name, _, value in rows
        if name in GAUGES or (name.startswith("gateway_upstream_connections{") and 'state="active"' in name)
    }


def _sample(gateway: Started, calls: int) -> Sample:
    files = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
    return Sample(calls, gateway.resident_bytes(), files)


def _show(soaked: Soaked) -> None:
    tally, last, full = soaked.tally, soaked.samples[-1], soaked.full()
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(tally.answers.items()))
    print(f"{tally.calls} calls in {soaked.seconds:.0f} s: {answers}, {tally.left} callers left")
    print(
        f"memory: {soaked.rest.bytes / 1e6:.1f} MB at rest, {full.bytes / 1e6:.1f} MB after {full.calls} "
        f"calls, {last.bytes / 1e6:.1f} MB in the end; "
        f"slope {soaked.slope() * 1e5 / 1e6:+.2f} MB per 100 000 calls"
    )
    print(f"open files: {soaked.rest.files} at rest, {last.files} in the end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--callers", type=int, default=32)
    options = parser.parse_args()
    progress = Progress(STEPS, sys.stderr, time.monotonic, terminal.width)
    try:
        soaked = uvloop.run(soak(options.calls, options.callers, progress))
    except BenchError as error:
        sys.exit(f"soak: {error}")
    finally:
        progress.end()
    _show(soaked)
    if faults := soaked.faults():
        sys.exit("\n".join(faults))
    print("all is well")


if __name__ == "__main__":
    main()
