"""What it costs to share: CPU per call of one gateway with stores of its own, with a Valkey, and with a
Valkey that also gives out the turns of `upstream.rate`.

    python -m bench.shared [--rounds 5] [--seconds 3]

Beside each figure stands the CPU of Valkey for the same call: what one Valkey, which has one thread for
commands, can carry.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import load, machine, nginx
from bench.cases import CACHED_READ, COALESCED_READ, JSON_WRITE, Case
from bench.peer import Peer, Place
from bench.process import Started, free_port, python, running
from bench.progress import Progress
from bench.upstream import nginx_upstream, own_upstream
from bench.valkey import Valkey, valkey
from gateway import terminal

MISSED_READ = Case(
    "read that is not kept yet", COALESCED_READ.content_type, COALESCED_READ.body, COALESCED_READ.api_method
)
CASES = (JSON_WRITE, CACHED_READ, MISSED_READ)
UNREACHED = "999999/s"  # a rate that holds nobody back
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds per call, and calls per second."""

    gateway: float
    store: float
    calls: float
    p50: float


def peer(name: str, url: str | None, rate: str = "null", calls: str = "all") -> Peer:
    """A gateway whose stores are in the Valkey at `url`, or its own."""

    def command(place: Place) -> list[str]:
        words = {"store": "memory" if url is None else "redis", "redis": url or "null"}
        platform = place.upstream.address
        config = place.write("gateway_shared.yaml", platform=platform, rate=rate, calls=calls, **words)
        return python("gateway", "serve", "--config", str(config))

    return Peer(name, "", command, CASES)


def peers(server: Valkey) -> tuple[Peer, ...]:
    return (
        peer("alone", None),
        peer("with Valkey", server.url),
        peer("with Valkey and a rate", server.url, UNREACHED),
    )


def measure(rounds: int, seconds: int, say: Callable[[str], None]) -> str:
    """The figures as a table in Markdown."""
    with ExitStack() as stack:
        upstreams = own_upstream if nginx.missing() else nginx_upstream
        upstream = stack.enter_context(upstreams(_folder(stack)))
        server = stack.enter_context(valkey(_folder(stack)))
        gateways: dict[str, Started] = {}
        for each in peers(server):
            place = Place(_folder(stack), free_port(), upstream)
            serving = running(each.name, each.command(place), place.port, place.folder, place.environ())
            gateways[each.name] = stack.enter_context(serving)
        samples: dict[tuple[str, str], list[Sample]] = {}
        for number in range(rounds + 1):
            for case in CASES:
                for name, gateway in gateways.items():
                    say(f"round {number} of {rounds}: {name}, {case.name}")
                    sample = _sample(gateway, server, case, seconds if number else WARM_UP)
                    if number:
                        samples.setdefault((case.name, name), []).append(sample)
    return _table(samples)


def _sample(gateway: Started, server: Valkey, case: Case, seconds: int) -> Sample:
    before, store_before = gateway.cpu_seconds(), server.process.cpu_seconds()
    tally = load.run(load.installed(), f"http://127.0.0.1:{gateway.port}", case, seconds)
    spent = gateway.cpu_seconds() - before, server.process.cpu_seconds() - store_before
    return Sample(spent[0] / tally.calls, spent[1] / tally.calls, tally.calls / tally.seconds, tally.p50)


def _table(samples: dict[tuple[str, str], list[Sample]]) -> str:
    lines = [
        "| call | gateway | µs CPU of the gateway | µs CPU of Valkey | calls/s | p50 ms |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (case, name), each in samples.items():
        own, store = (median(part) * 1e6 for part in _columns(each, "gateway", "store"))
        calls, p50 = (median(part) for part in _columns(each, "calls", "p50"))
        lines.append(f"| {case} | {name} | {own:.0f} | {store:.1f} | {calls:.0f} | {p50 * 1e3:.1f} |")
    return "\n".join(lines)


def _columns(samples: Sequence[Sample], *names: str) -> list[list[float]]:
    return [[getattr(sample, name) for sample in samples] for name in names]


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load, for each figure")
    options = parser.parse_args()
    steps = (options.rounds + 1) * len(CASES) * 3
    progress = Progress(steps, sys.stderr, time.monotonic, terminal.width)
    try:
        table = measure(options.rounds, options.seconds, progress)
    finally:
        progress.end()
    print("\n".join(f"- {line}" for line in machine.describe()))
    print(f"\n{table}")


if __name__ == "__main__":
    main()
