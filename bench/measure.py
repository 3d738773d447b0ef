"""The run: every peer shows that it does the work, then all are started, warmed up, and measured in turn.

Rounds take turns between peers, so that a machine that is slower for a minute is slower for all of them.
"""

import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

from bench import load
from bench.cases import PROFILE_ID, Case
from bench.idle import idle_connections
from bench.peer import Peer, Place, Upstream
from bench.process import BenchError, Started, free_port, running
from bench.upstream import Upstreams, own_upstream

WARM_UP = 3  # seconds per peer and case
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    peers: Sequence[Peer]
    cases: Sequence[Case]
    rounds: int
    seconds: int  # of load, per peer, case and round
    command: load.Command
    upstream: Upstreams


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer under one case in one round."""

    cpu_seconds: float  # of the serving process, per call
    tally: load.Tally


@dataclass(frozen=True, slots=True)
class Figures:
    """One peer under one case: its rounds, and the memory it held before the run and at most in it."""

    peer: Peer
    case: Case
    samples: tuple[Sample, ...]
    rest_bytes: int
    peak_bytes: int


def run(plan: Plan, say: Say) -> list[Figures]:
    """In the order of cases, then peers. Raises BenchError when a peer does not do what is measured."""
    for peer in plan.peers:
        say(f"does {peer.name} do the work?")
        _verify(peer, plan.cases)
    with _serving(plan) as started:
        rests = {name: process.resident_bytes() for name, process in started.items()}
        for case, peer in _pairs(plan):
            say(f"warming up: {peer.name}, {case.name}")
            load.run(plan.command, _url(started[peer.name]), case, WARM_UP)
        samples = _rounds(plan, started, say)
        peaks = {name: process.peak_bytes() for name, process in started.items()}
    return [
        Figures(peer, case, tuple(samples[case.name, peer.name]), rests[peer.name], peaks[peer.name])
        for case, peer in _pairs(plan)
    ]


def steps(plan: Plan) -> int:
    """How often `run` says what it is at."""
    return len(plan.peers) + len(_pairs(plan)) * (1 + plan.rounds)


def _pairs(plan: Plan) -> list[tuple[Case, Peer]]:
    return [(case, peer) for case in plan.cases for peer in plan.peers if case in peer.cases]


def _rounds(plan: Plan, started: dict[str, Started], say: Say) -> dict[tuple[str, str], list[Sample]]:
    samples: dict[tuple[str, str], list[Sample]] = {(case.name, peer.name): [] for case, peer in _pairs(plan)}
    for number in range(1, plan.rounds + 1):
        for case, peer in _pairs(plan):
            say(f"round {number} of {plan.rounds}: {peer.name}, {case.name}")
            samples[case.name, peer.name].append(_sample(plan, started[peer.name], case))
    return samples


def _sample(plan: Plan, process: Started, case: Case) -> Sample:
    with idle_connections(process.port, case):
        before = process.cpu_seconds()
        tally = load.run(plan.command, _url(process), case, plan.seconds)
    return Sample((process.cpu_seconds() - before) / tally.calls, tally)


@contextmanager
def _serving(plan: Plan) -> Iterator[dict[str, Started]]:
    """All peers in front of the plan's upstream."""
    with ExitStack() as stack:
        upstream = stack.enter_context(plan.upstream(_folder(stack)))
        yield {peer.name: stack.enter_context(_peer(peer, upstream)) for peer in plan.peers}


@contextmanager
def _peer(peer: Peer, upstream: Upstream) -> Iterator[Started]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Place(Path(folder), free_port(), upstream)
        command = peer.command(place)
        with running(peer.name, command, place.port, place.folder, place.environ()) as process:
            yield process


def _verify(peer: Peer, cases: Sequence[Case]) -> None:
    """One call of each case through the peer to an upstream that wants the token, and the whole call; what is
    said to be kept is to be answered when the upstream is gone, too."""
    chosen = [case for case in cases if case in peer.cases]
    with ExitStack() as stack:
        with ExitStack() as above:
            upstream = above.enter_context(own_upstream(_folder(above)))
            process = stack.enter_context(_peer(peer, upstream))
            for case in chosen:
                _try(peer, case, _url(process))
        for case in chosen:
            if case.kept:
                _try(peer, case, _url(process))


def _try(peer: Peer, case: Case, url: str) -> None:
    request = urllib.request.Request(url + case.path, case.made(1), {"Content-Type": case.content_type})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            said = reply.read()
    except HTTPError as error:
        said = error.read()
    if PROFILE_ID.encode() not in said:
        raise BenchError(f"{peer.name} does not do the work ({case.name}); it answered {said[:500]!r}")


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


def _url(process: Started) -> str:
    return f"http://127.0.0.1:{process.port}"
