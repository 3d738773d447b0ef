"""What it costs to trace: CPU per call of a gateway that does not, of one that passes traces on and records
none, of one that records a tenth, and of one that records all.

    python -m bench.traced [--rounds 5] [--seconds 3]

The collector is rotel, which throws all spans away. The callers send no trace of their own, so each call
begins one: two spans for a write, one for a read from the cache. Beside each figure stand the spans per call
that arrived, and the share of those recorded that found no room to wait in.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from bench import load, machine, nginx
from bench.cases import CACHED_READ, JSON_WRITE
from bench.peer import Peer, Place
from bench.process import BenchError, Started, free_port, python, running
from bench.progress import Progress
from bench.upstream import nginx_upstream, own_upstream
from gateway import terminal

CASES = (JSON_WRITE, CACHED_READ)
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """Per call: CPU seconds, and spans that arrived; and the share of spans that were lost."""

    cpu: float
    spans: float
    lost: float


@dataclass(frozen=True, slots=True)
class Way:
    """A way to trace, with the sampler's variables."""

    name: str
    enabled: bool
    variables: Mapping[str, str]


def ways(collector: str) -> tuple[Way, ...]:
    to = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector}
    share = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
    return (
        Way("off", False, to),
        Way("passed on, none recorded", True, {**to, "OTEL_TRACES_SAMPLER": "always_off"}),
        Way("a tenth recorded", True, {**to, **share}),
        Way("all recorded", True, to),
    )


def peer(way: Way) -> Peer:
    def command(place: Place) -> list[str]:
        tracing = "true" if way.enabled else "false"
        config = place.write("gateway_traced.yaml", platform=place.upstream.address, tracing=tracing)
        return python("gateway", "serve", "--config", str(config))

    return Peer(way.name, "", command, CASES)


@contextmanager
def rotel(folder: Path) -> Iterator[str]:
    """The address of a collector that keeps nothing. Raises BenchError where it is not installed."""
    spec = find_spec("rotel")
    if spec is None or spec.origin is None:
        raise BenchError("rotel is not installed (PyPI: rotel)")
    grpc, http = free_port(), free_port()
    agent = Path(spec.origin).with_name("rotel-agent")
    addresses = ("--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}")
    files = ("--pid-file", str(folder / "rotel.pid"), "--log-file", str(folder / "agent.log"))
    command = [str(agent), "start", *files, *addresses, "--exporter", "blackhole"]
    with running("rotel", command, http, folder, {"HOME": str(folder)}):
        yield f"http://127.0.0.1:{http}"


def measure(rounds: int, seconds: int, say: Callable[[str], None]) -> str:
    """The figures as a table in Markdown."""
    with ExitStack() as stack:
        upstreams = own_upstream if nginx.missing() else nginx_upstream
        upstream = stack.enter_context(upstreams(_folder(stack)))
        gateways: dict[str, Started] = {}
        for way in ways(stack.enter_context(rotel(_folder(stack)))):
            place = Place(_folder(stack), free_port(), upstream)
            environ = {**place.environ(), **way.variables}
            serving = running(way.name, peer(way).command(place), place.port, place.folder, environ)
            gateways[way.name] = stack.enter_context(serving)
        samples: dict[tuple[str, str], list[Sample]] = {}
        for number in range(rounds + 1):
            for case in CASES:
                for name, gateway in gateways.items():
                    say(f"round {number} of {rounds}: {name}, {case.name}")
                    before, spans = gateway.cpu_seconds(), _spans(gateway)
                    tally = load.run(
                        load.installed(),
                        f"http://127.0.0.1:{gateway.port}",
                        case,
                        seconds if number else WARM_UP,
                    )
                    cpu, new = gateway.cpu_seconds() - before, _spans(gateway)
                    sent, lost = new[0] - spans[0], new[1] - spans[1]
                    if number:
                        sample = Sample(cpu / tally.calls, sent / tally.calls, lost / max(1, sent + lost))
                        samples.setdefault((case.name, name), []).append(sample)
    return _table(samples)


def _spans(gateway: Started) -> tuple[float, float]:
    """Those that arrived, and those that were lost, since the start."""
    with urlopen(f"http://127.0.0.1:{gateway.port}/metrics") as reply:
        page = reply.read().decode()
    found = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("gateway_spans_total{"))
    counts = {name.split('"')[1]: float(value) for name, value in found.items()}
    return counts["sent"], counts["failed"] + counts["dropped"]


def _table(samples: dict[tuple[str, str], list[Sample]]) -> str:
    lines = [
        "| call | tracing | µs CPU per call | lowest-highest | spans per call | lost |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (case, name), each in samples.items():
        cpu = sorted(sample.cpu * 1e6 for sample in each)
        spans, lost = median(sample.spans for sample in each), median(sample.lost for sample in each)
        lines.append(
            f"| {case} | {name} | {median(cpu):.0f} | {cpu[0]:.0f}-{cpu[-1]:.0f} "
            f"| {spans:.2f} | {lost * 100:.0f} % |"
        )
    return "\n".join(lines)


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load, for each figure")
    options = parser.parse_args()
    progress = Progress((options.rounds + 1) * len(CASES) * 4, sys.stderr, time.monotonic, terminal.width)
    try:
        table = measure(options.rounds, options.seconds, progress)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    finally:
        progress.end()
    print("\n".join(f"- {line}" for line in machine.describe()))
    print(f"\n{table}")


if __name__ == "__main__":
    main()
