"""How far apart the callers of one flight are answered.

    python -m bench.wakeup [--callers 200] [--rounds 20]

So many callers send the same write on connections of their own. The platform holds its answer back until all
of them wait, then gives it. Shown is the time from the platform's answer to the first caller's and to the
last one's, and what it takes to answer as many calls that nobody waits for together: what the spread would be
if each were answered as fast as the process can.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import httptools
import trustme
import uvloop

from bench.cases import JOINED_WRITE, REPLY
from bench.peer import Place, Upstream
from bench.peers import gateway
from bench.process import free_port, running

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY) + REPLY
)


class Holding:
    """A platform that answers nobody until it is told to."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.StreamWriter] = []
        self.arrived = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = httptools.HttpRequestParser(_OnComplete(lambda: self._take(writer)))
        while data := await reader.read(65536):
            parser.feed_data(data)
        writer.close()

    def _take(self, writer: asyncio.StreamWriter) -> None:
        self.arrived += 1
        self._waiting.append(writer)

    def release(self) -> float:
        """When it was."""
        released = time.perf_counter()
        for writer in self._waiting:
            writer.write(_ANSWER)
        self._waiting.clear()
        return released


@dataclass(frozen=True, slots=True)
class _OnComplete:
    """httptools' callbacks."""

    on_message_complete: Callable[[], None]


async def _caller(port: int, request: bytes, answered: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.readuntil(b"]}")
    answered.append(time.perf_counter())
    writer.close()


def request_of(number: int) -> bytes:
    body = JOINED_WRITE.body.replace(b"%06d", b"%06d" % number)
    head = f"POST {JOINED_WRITE.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _round(port: int, holding: Holding, requests: Sequence[bytes]) -> tuple[float, float]:
    """Seconds from the release to the first and to the last answer."""
    answered: list[float] = []
    callers = [asyncio.create_task(_caller(port, request, answered)) for request in requests]
    while await asyncio.to_thread(in_progress, port) < len(requests):  # noqa: ASYNC110
        # Another process has no event to wait for.
        await asyncio.sleep(0.005)
    released = holding.release()
    await asyncio.gather(*callers)
    return min(answered) - released, max(answered) - released


def in_progress(port: int) -> int:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    [line] = [line for line in lines if line.startswith("gateway_requests_in_progress ")]
    return int(float(line.split()[-1]))


async def measure(callers: int, rounds: int) -> None:
    holding = Holding()
    server = await asyncio.start_server(holding.serve, "127.0.0.1", 0, limit=2**20)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        authority = Path(folder) / "authority.pem"
        trustme.CA().cert_pem.write_to_path(authority)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        place = Place(Path(folder), free_port(), Upstream(address, address, authority))
        command = gateway.PEER.command(place)
        with running("gateway", command, place.port, place.folder, place.environ()):
            same = [await _round(place.port, holding, [request_of(at)] * callers) for at in range(rounds)]
            sent = holding.arrived
            own = [
                await _round(place.port, holding, [request_of(1000 + at) for at in range(min(callers, 100))])
                for _ in range(rounds)
            ]
    server.close()
    print(f"{callers} callers of one write, {rounds} rounds: sent {sent} times")
    _show("one flight", same)
    _show(f"{min(callers, 100)} flights", own)


def _show(name: str, rounds: Sequence[tuple[float, float]]) -> None:
    first = statistics.median(first for first, _ in rounds) * 1e3
    last = statistics.median(last for _, last in rounds) * 1e3
    print(f"{name}: the first is answered after {first:.2f} ms, the last after {last:.2f} ms (medians)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    uvloop.run(measure(options.callers, options.rounds))


if __name__ == "__main__":
    main()
