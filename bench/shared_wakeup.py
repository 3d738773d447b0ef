"""How soon a caller at one gateway is answered when the flight that it joined ends at another.

    python -m bench.shared_wakeup [--rounds 300]

In each round a write is sent through the first gateway, the same one through the second once the platform has
the first, and the platform answers when both wait. Shown are the times from the platform's answer to each
caller's, and how much later the second caller's is: the way through Valkey.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import trustme
import uvloop

from bench.peer import Place, Upstream
from bench.process import BenchError, free_port, running
from bench.shared import peer
from bench.valkey import valkey
from bench.wakeup import Holding, in_progress, request_of

GATEWAYS = 2


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds from the platform's answer to that of who leads and of who joined."""

    led: float
    joined: float


async def _caller(port: int, request: bytes) -> tuple[float, bytes]:
    """When the answer was there, and its head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.readuntil(b"]}")
    at = time.perf_counter()
    writer.close()
    return at, answer


async def _round(ports: list[int], holding: Holding, request: bytes) -> Round:
    sent = holding.arrived
    first = asyncio.create_task(_caller(ports[0], request))
    while holding.arrived == sent:  # noqa: ASYNC110 - the platform is in this loop, but says nothing
        await asyncio.sleep(0.0005)
    second = asyncio.create_task(_caller(ports[1], request))
    while await asyncio.to_thread(in_progress, ports[1]) < 1:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    await asyncio.sleep(0.02)  # it has arrived: now it boards
    released = holding.release()
    (led, _), (joined, head) = await asyncio.gather(first, second)
    if b"joined" not in head:
        raise BenchError("the second caller did not join")
    return Round(led - released, joined - released)


async def measure(rounds: int) -> list[Round]:
    holding = Holding()
    platform = await asyncio.start_server(holding.serve, "127.0.0.1", 0, limit=2**20)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        server = stack.enter_context(valkey(folder))
        trustme.CA().cert_pem.write_to_path(folder / "authority.pem")
        address = f"http://127.0.0.1:{platform.sockets[0].getsockname()[1]}"
        ports = []
        for number in range(GATEWAYS):
            own = folder / str(number)
            own.mkdir()
            place = Place(own, free_port(), Upstream(address, address, folder / "authority.pem"))
            command = peer("gateway", server.url).command(place)
            stack.enter_context(running("gateway", command, place.port, own, place.environ()))
            ports.append(place.port)
        found = [await _round(ports, holding, request_of(number)) for number in range(rounds)]
    platform.close()
    return found


def show(rounds: list[Round]) -> str:
    def line(name: str, values: list[float]) -> str:
        cuts = statistics.quantiles(values, n=100)
        middle, high = statistics.median(values) * 1e3, cuts[98] * 1e3
        return f"| {name} | {middle:.2f} | {high:.2f} | {max(values) * 1e3:.2f} |"

    return "\n".join(
        [
            "| from the platform's answer | median ms | p99 ms | most ms |",
            "| --- | ---: | ---: | ---: |",
            line("to the caller at the gateway that sent the call", [each.led for each in rounds]),
            line("to the caller that joined at the other gateway", [each.joined for each in rounds]),
            line("between the two", [each.joined - each.led for each in rounds]),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300)
    options = parser.parse_args()
    print(show(uvloop.run(measure(options.rounds))))


if __name__ == "__main__":
    main()
