"""What callers notice when the Valkey that two gateways share is in trouble.

    python -m bench.outages [--seconds 3] [--only stop]

Callers send writes, each a different one, and reads through both gateways the whole time. For each trouble
are shown the calls that failed, how long calls took before and during it, the slowest one, how many writes
the platform got under two ids, and how long after its end a gateway still said that it does not share.
"""

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import MappingProxyType
from urllib.request import urlopen

import httptools
import trustme
import uvloop

from bench.cases import CACHED_READ, JSON_WRITE, REPLY, Case
from bench.peer import Place, Upstream
from bench.process import free_port, running
from bench.shared import peer
from bench.valkey import Valkey, valkey

CALLERS = 8  # at each gateway
LOOK = 0.02  # seconds between two looks at readiness
STEADY = 5.0  # seconds after which gateways that share go on to
AWAY = b"calls go on without it"
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY) + REPLY
)

Mend = Callable[[], object] | None
"""Ends a trouble; None: it is over already."""


def nothing(_server: Valkey) -> Mend:
    """What the rest is to be held against."""
    return None


def stop(server: Valkey) -> Mend:
    server.stop()
    return server.start


def pause(server: Valkey) -> Mend:
    server.hold()
    return server.go_on


def restart(server: Valkey) -> Mend:
    server.stop()
    server.start()
    return None


def flush(server: Valkey) -> Mend:
    server.tell("FLUSHALL")
    return None


def cut(server: Valkey) -> Mend:
    server.tell("CLIENT", "KILL", "TYPE", "normal")
    return None


def read_only(server: Valkey) -> Mend:
    server.tell("REPLICAOF", "127.0.0.1", str(server.port))
    return lambda: server.tell("REPLICAOF", "NO", "ONE")


def no_memory(server: Valkey) -> Mend:
    server.tell("CONFIG", "SET", "maxmemory", "1")
    return lambda: server.tell("CONFIG", "SET", "maxmemory", "0")


TROUBLES: Mapping[str, Callable[[Valkey], Mend]] = MappingProxyType(
    {
        "left alone": nothing,
        "stopped": stop,
        "paused (SIGSTOP)": pause,
        "started anew": restart,
        "flushed": flush,
        "connections cut": cut,
        "read only": read_only,
        "out of memory": no_memory,
    }
)


@dataclass
class Platform:
    """Answers at once, and knows under which ids it got each write."""

    ids: dict[bytes, set[bytes]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = httptools.HttpRequestParser(_Request(self, writer))
        while data := await reader.read(65536):
            parser.feed_data(data)
        writer.close()


@dataclass
class _Request:
    """httptools' callbacks for one connection."""

    platform: Platform
    writer: asyncio.StreamWriter
    request_id: bytes = b""
    body: bytes = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"request-id":
            self.request_id = value

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        if self.request_id:
            self.platform.ids.setdefault(self.body, set()).add(self.request_id)
        self.request_id, self.body = b"", b""
        self.writer.write(_ANSWER)


@dataclass(frozen=True, slots=True)
class Call:
    """By the clock of `time.perf_counter`."""

    began: float
    seconds: float
    failed: bool


class Callers:
    """The load, and all that came of it."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.calls: list[Call] = []
        self._numbers = count()
        self._over = False
        self._tasks = [asyncio.create_task(self._run(port)) for port in ports for _ in range(CALLERS)]

    async def end(self) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def _run(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while not self._over:
            number = next(self._numbers)
            case = CACHED_READ if number % 2 else JSON_WRITE
            writer.write(_request(case, number // 2))
            began = time.perf_counter()
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            self.calls.append(Call(began, time.perf_counter() - began, not head.startswith(b"HTTP/1.1 200")))
        writer.close()


def _request(case: Case, number: int) -> bytes:
    body = case.body.replace(b"%06d", b"%06d" % (number % 64 if case.kept else number))
    head = f"POST {case.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _length(head: bytes) -> int:
    [line] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(line.split(b":")[1])


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in seconds."""

    name: str
    calls: int  # that ended from its beginning until all was shared again
    failed: int
    p99_before: float
    slowest_before: float
    p99: float
    slowest: float
    twice: int  # writes that the platform got under two ids
    shared_after: float  # its end

    def row(self) -> str:
        times = (self.p99_before, self.slowest_before, self.p99, self.slowest)
        milliseconds = " | ".join(f"{value * 1e3:.0f}" for value in times)
        ends = f"{self.twice} | {self.shared_after:.1f}"
        return f"| {self.name} | {self.calls} | {self.failed} | {milliseconds} | {ends} |"


HEAD = (
    "| Valkey was | calls in it | failed | p99 before, ms | slowest before, ms | p99 in it, ms | "
    "slowest in it, ms | writes under two ids | shared again after, s |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


async def _one(name: str, server: Valkey, ports: Sequence[int], platform: Platform, seconds: int) -> Figures:
    platform.ids.clear()
    callers = Callers(ports)
    await asyncio.sleep(seconds)
    began = time.perf_counter()
    watching = asyncio.create_task(_watch(ports))
    mend = await asyncio.to_thread(TROUBLES[name], server)
    mended = time.perf_counter()
    await asyncio.sleep(seconds)
    if mend is not None:
        await asyncio.to_thread(mend)
        mended = time.perf_counter()
    shared = await watching
    await callers.end()
    before = [call.seconds for call in callers.calls if call.began < began]
    over = max(shared, mended, began + seconds)
    during = [call for call in callers.calls if call.began + call.seconds >= began and call.began < over]
    return Figures(
        name=name,
        calls=len(during),
        failed=sum(call.failed for call in callers.calls),
        p99_before=_percentile(before, 0.99),
        slowest_before=max(before),
        p99=_percentile([call.seconds for call in during], 0.99),
        slowest=max(call.seconds for call in during),
        twice=sum(len(ids) > 1 for ids in platform.ids.values()),
        shared_after=max(0.0, shared - mended),
    )


async def _watch(ports: Sequence[int]) -> float:
    """When one of the gateways said for the last time that it does not share; all have shared for a while
    then, and long enough for them to notice that something is wrong."""
    last = time.perf_counter()
    while time.perf_counter() - last < STEADY:
        answers = [await asyncio.to_thread(_is_sharing, port) for port in ports]
        if not all(answers):
            last = time.perf_counter()
        await asyncio.sleep(LOOK)
    return last


def _is_sharing(port: int) -> bool:
    with urlopen(f"http://127.0.0.1:{port}/readyz?verbose", timeout=10) as reply:
        return AWAY not in reply.read()


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


@asynccontextmanager
async def _fleet() -> AsyncIterator[tuple[Valkey, list[int], Platform]]:
    platform = Platform()
    listening = await asyncio.start_server(platform.serve, "127.0.0.1", 0, limit=2**20)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(valkey(folder))
        trustme.CA().cert_pem.write_to_path(folder / "authority.pem")
        address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        above = Upstream(address, address, folder / "authority.pem")
        yield server, list(_gateways(stack, folder, server, above)), platform
    listening.close()


def _gateways(stack: ExitStack, folder: Path, server: Valkey, above: Upstream) -> Iterator[int]:
    for name in ("a", "b"):
        own = folder / name
        own.mkdir()
        place = Place(own, free_port(), above)
        command = peer(name, server.url, calls="none").command(place)
        stack.enter_context(running(name, command, place.port, own, place.environ()))
        yield place.port


async def measure(names: Sequence[str], seconds: int) -> list[Figures]:
    """Gateways and Valkey of its own for each trouble."""
    found = []
    for name in names:
        print(name, file=sys.stderr, flush=True)
        async with _fleet() as (server, ports, platform):
            found.append(await _one(name, server, ports, platform, seconds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=3, help="of each: before the trouble, and in it")
    parser.add_argument("--only", choices=list(TROUBLES))
    options = parser.parse_args()
    figures = uvloop.run(measure([options.only] if options.only else list(TROUBLES), options.seconds))
    print("\n".join([HEAD, *(each.row() for each in figures)]))


if __name__ == "__main__":
    main()
