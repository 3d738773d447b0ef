"""The bench itself, with short rounds: it measures what it says, and refuses what would be no measurement."""

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bench import load, measure
from bench.cases import (
    BATCH,
    CACHED_READ,
    CASES,
    COALESCED_READ,
    JOINED_WRITE,
    JSON_WRITE,
    REPLY,
    TLS_WRITE,
    XML_WRITE,
    Case,
)
from bench.idle import idle_connections
from bench.lineup import PEERS
from bench.measure import Plan
from bench.peer import Peer
from bench.peers import gateway, handmade, uvicorn_alone
from bench.process import BenchError, Started, free_port, python
from bench.upstream import is_expected, own_upstream
from tests.e2e.waiting import until
from tests.tools import tool

ROOT = Path(__file__).parent.parent.parent
SHORT = Plan(
    peers=(gateway.PEER, uvicorn_alone.PEER),
    cases=(JSON_WRITE,),
    rounds=1,
    seconds=1,
    command=load.driver,
    upstream=own_upstream,
)
# It answers like the platform, and is handed calls without a token.
IDLER = Peer(
    "idler",
    "",
    lambda place: python(
        "bench.upstream",
        str(place.port),
        str(free_port()),
        str(place.upstream.authority.with_name("certificate.pem")),
    ),
    (JSON_WRITE,),
)
FORGETFUL = Peer("forgetful", "", handmade.PEER.command, (CACHED_READ,))


def test_a_round_gives_figures_for_every_peer_and_a_line_of_progress_for_every_step() -> None:
    said: list[str] = []

    found = measure.run(SHORT, said.append)

    assert len(said) == measure.steps(SHORT)

    assert [(figures.case, figures.peer) for figures in found] == [
        (JSON_WRITE, gateway.PEER),
        (JSON_WRITE, uvicorn_alone.PEER),
    ]
    for figures in found:
        (sample,) = figures.samples
        assert sample.tally.calls > 0
        assert sample.tally.seconds >= 1
        assert 0 < sample.tally.p50 <= sample.tally.p99
        assert 0 < sample.cpu_seconds < 1
        assert figures.peak_bytes > 1_000_000
    assert said[-1] == "round 1 of 1: uvicorn alone, forwarded JSON write"


def test_a_peer_that_leaves_the_token_out_is_not_measured() -> None:
    with pytest.raises(BenchError, match=r"idler does not do the work .*no token"):
        measure.run(replace(SHORT, peers=(IDLER,)), lambda _line: None)


def test_a_peer_that_asks_the_platform_for_what_it_is_to_have_kept_is_not_measured() -> None:
    with pytest.raises(BenchError, match=r"forgetful does not do the work \(cached read\)"):
        measure.run(replace(SHORT, peers=(FORGETFUL,), cases=(CACHED_READ,)), lambda _line: None)


def test_every_case_of_the_gateway_is_verified_and_measured() -> None:
    few = replace(JSON_WRITE, idle=3, callers=2)
    ours = replace(gateway.PEER, cases=(few, XML_WRITE, CACHED_READ, COALESCED_READ, JOINED_WRITE, BATCH))

    found = measure.run(replace(SHORT, peers=(ours,), cases=ours.cases), lambda _line: None)

    assert [figures.case for figures in found] == list(ours.cases)
    assert all(figures.samples[0].tally.calls for figures in found)
    assert all(1e6 < figures.rest_bytes <= figures.peak_bytes for figures in found)


def test_the_platform_is_reached_over_tls_as_well() -> None:
    (found,) = measure.run(replace(SHORT, peers=(gateway.OVER_TLS,), cases=(TLS_WRITE,)), lambda _line: None)
    assert found.samples[0].tally.calls > 0


def test_idle_connections_that_a_peer_closes_are_no_measurement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_and_close() -> None:
            for _ in range(2):
                taken, _ = listening.accept()
                taken.recv(65536)
                taken.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + REPLY)
                taken.close()

        peer = threading.Thread(target=answer_and_close)
        peer.start()
        with (
            pytest.raises(BenchError, match="2 of 2 idle connections were closed"),
            idle_connections(listening.getsockname()[1], replace(JSON_WRITE, idle=2)),
        ):
            peer.join()


def test_a_load_with_failed_calls_is_no_measurement(tmp_path: Path) -> None:
    with own_upstream(tmp_path) as upstream, pytest.raises(BenchError, match="calls failed"):
        load.run(load.driver, upstream.address, JSON_WRITE, 1)


def test_a_load_on_nobody_is_no_measurement() -> None:
    with pytest.raises(BenchError, match="refused"):
        load.run(load.driver, f"http://127.0.0.1:{free_port()}", JSON_WRITE, 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bodies_that_are_in_flight_together_differ(case: Case) -> None:
    assert len({case.made(number) for number in range(case.bodies)}) == case.bodies
    assert case.bodies == 1 or case.bodies >= 2 * case.callers


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(JSON_WRITE.made(1), id="no token"),
        pytest.param(XML_WRITE.made(1), id="not converted"),
        pytest.param(b'{"token":"0123456789abcdef0123456789abcdef"}', id="only the token"),
    ],
)
def test_the_upstream_tells_what_is_not_the_whole_call(body: bytes) -> None:
    assert not is_expected(JSON_WRITE.path, body)


def test_the_upstream_takes_the_call_with_the_token() -> None:
    for case in (JSON_WRITE, CACHED_READ, BATCH):
        call = case.made(7)
        assert is_expected(case.path, b'{"token":"0123456789abcdef0123456789abcdef",' + call[1:])
        assert is_expected(case.path + "/", call, "Bearer 0123456789abcdef0123456789abcdef")
        assert not is_expected("/api/v1.1/profiles/delete", call, "Bearer 0123456789abcdef0123456789abcdef")


def test_no_two_peers_share_a_name() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)


@pytest.mark.full
def test_the_command_prints_a_table_per_case_by_wrk_and_nginx() -> None:
    tool("wrk", "Debian: wrk"), tool("nginx", "Debian: nginx")
    only = f"{gateway.PEER.name},{handmade.PEER.name}"
    command = [sys.executable, "-m", "bench", "--rounds", "1", "--seconds", "1", "--only", only]
    ours = len(gateway.PEER.cases)

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stderr
    assert "load by wrk, nginx as the platform" in done.stdout
    assert done.stdout.count("\n| gateway ") == ours
    assert done.stdout.count("\n| Starlette + httpx by hand ") == 1


def test_the_command_refuses_a_peer_that_nobody_knows() -> None:
    command = [sys.executable, "-m", "bench", "--only", "gateway,apache"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "nobody is called apache" in done.stderr


def test_a_bench_that_is_told_to_stop_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--only", uvicorn_alone.PEER.name]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environ) as bench:
        assert bench.stderr is not None
        started = next(line for line in bench.stderr if "warming up" in line)
        children = [pid for pid in Started("bench", bench.pid, 0).family() if pid != bench.pid]
        bench.terminate()

        assert bench.wait(30) == 143, started
    assert len(children) >= 2  # the upstream and the peer
    # nginx's workers end a moment after the master that was waited for.
    until(lambda: not [pid for pid in children if _runs(pid)], "every process has ended")
    assert not list(tmp_path.iterdir())


def _runs(pid: int) -> bool:
    """Whether a process is there; one that has ended and waits for init to take note of it is not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
