"""Two gateways that share a Valkey: what a caller of either may rely on."""

import random
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.stores.redis import record
from tests import valkey
from tests.collector import Receiver
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import ENVIRON, Platform
from tests.e2e.scraping import scrape_used
from tests.e2e.shared_load import WRITE, attempt, executed, read, request_ids, write
from tests.e2e.sharing import Fleet, fleet_over
from tests.e2e.waiting import until
from tests.valkey import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with valkey.running(valkey.valkey(), tmp_path) as running:
        yield running


@pytest.fixture
def fleet(server: Server, platform: Platform, tmp_path: Path) -> Iterator[Fleet]:
    """Gateways `a` and `b`."""
    with ExitStack() as stack:
        gateways = fleet_over(server, platform, tmp_path, stack)
        gateways.start("a")
        gateways.start("b")
        yield gateways
        platform.sandbox.faults.clear()


def under_way(fleet: Fleet) -> float:
    return sum(in_progress(fleet[name]) for name in ("a", "b"))


def waiting(server: Server) -> int:
    """Callers of flights, as the gateways have told it to Valkey."""
    names = server.client.scan_iter(match="*f1:*")
    states = [server.client.hget(name, "h") for name in names]
    return sum(record.unpack(state, None).flight.pending for state in states if isinstance(state, bytes))


def test_identical_writes_over_both_gateways_are_one(fleet: Fleet, sandbox: Sandbox, server: Server) -> None:
    sandbox.faults.add(Fault(Kind.STALL, WRITE, When.BEFORE))
    with ThreadPoolExecutor(200) as callers:
        sent = [callers.submit(write, fleet["ab"[n % 2]], "jim") for n in range(200)]
        until(lambda: waiting(server) == 200, "all are there")  # to have arrived is not enough
        sandbox.faults.release()
        answers = [future.result(PATIENCE) for future in sent]

    assert [answer.error for answer in answers] == [0] * 200
    assert executed(sandbox, "jim") == 1
    roles = [answer.header("gateway-flight") for answer in answers]
    assert roles.count("led") == 1
    assert roles.count("joined") == 199
    assert len({answer.header("request-id") for answer in answers}) == 1
    assert write(fleet["b"], "jim").header("gateway-flight") == "led"  # it was meant


def test_a_failure_is_shared_as_an_answer_is(fleet: Fleet, sandbox: Sandbox, server: Server) -> None:
    sandbox.faults.add(Fault(Kind.STALL, WRITE, When.BEFORE), Fault(Kind.RESET, WRITE, count=20))
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(write, fleet["a"], "jim")
        until(lambda: under_way(fleet) == 1 and len(sandbox.calls) == 1, "one is there")
        second = callers.submit(write, fleet["b"], "jim")
        until(lambda: waiting(server) == 2, "both are there")
        sandbox.faults.clear()
        sandbox.faults.add(Fault(Kind.RESET, WRITE, count=20))
        answers = [first.result(PATIENCE), second.result(PATIENCE)]
    assert len({(answer.status, answer.header("request-id")) for answer in answers}) == 1


def test_a_key_is_known_to_all_gateways(fleet: Fleet, sandbox: Sandbox) -> None:
    key = ("Request-ID", "order-7")
    first = write(fleet["a"], "jim", key)
    until(lambda: scrape_used(fleet["a"]).value("gateway_flights_in_progress") == 0, "it has ended")

    again, other = write(fleet["b"], "jim", key), write(fleet["b"], "john", key)

    assert (again.body, again.header("gateway-flight")) == (first.body, "replayed")
    assert (other.status, other.error) == (422, 450)
    assert executed(sandbox, "jim") == 1


def test_a_reply_is_kept_for_all_gateways_until_a_write_through_any(fleet: Fleet, sandbox: Sandbox) -> None:
    write(fleet["a"], "jim")
    kept = read(fleet["a"], "jim")
    hit = read(fleet["b"], "jim")

    write(fleet["a"], "jim", value="James")
    new = read(fleet["b"], "jim")

    assert (kept.header("cache-status") or "").endswith("stored")
    assert (hit.header("cache-status") or "").startswith("gateway; hit")
    assert b"James" in new.body


@pytest.mark.parametrize(
    ("leaders", "rounds"),
    [pytest.param(1, 1, id="once"), pytest.param(5, 10, id="50 times", marks=pytest.mark.full)],
)
@pytest.mark.timeout(600)
def test_after_a_kill_of_the_leader_the_repeat_through_another_runs_nothing_twice(
    fleet: Fleet, sandbox: Sandbox, leaders: int, rounds: int
) -> None:
    """The leaders of a round die together, so that their leases are waited for once."""
    rng = random.Random(20261126)
    names = ["a", *(f"a{number}" for number in range(1, leaders))]
    start_together(fleet, names[1:])
    for number in range(rounds):
        writes = {leader: f"round-{number}-{leader}" for leader in names}
        sandbox.calls.clear()
        sandbox.faults.add(*(Fault(Kind.STALL, WRITE, rng.choice([When.AFTER, When.BEFORE])) for _ in names))
        arrived = sandbox.calls.arrived(leaders)
        with ThreadPoolExecutor(3 * leaders) as callers:
            lost = [callers.submit(attempt, fleet[leader], name) for leader, name in writes.items()]
            arrived.result(PATIENCE)
            joined = [name for name in writes.values() if rng.random() < 0.5]
            waits = [callers.submit(write, fleet["b"], name) for name in joined]
            await_in_progress(fleet["b"], len(joined))
            for leader in names:
                fleet.kill(leader)
            sandbox.faults.release()
            assert [each.result(PATIENCE) for each in lost] == [None] * leaders
            repeats = list(callers.map(lambda name: write(fleet["b"], name), writes.values()))
            assert [each.result(PATIENCE).error for each in waits] == [0] * len(joined)
        assert [repeat.error for repeat in repeats] == [0] * leaders
        for name in writes.values():
            assert (name, executed(sandbox, name), len(request_ids(sandbox, name))) == (name, 1, 1)
        start_together(fleet, names)


def start_together(fleet: Fleet, names: Sequence[str]) -> None:
    with ThreadPoolExecutor(max(1, len(names))) as starting:
        list(starting.map(fleet.start, names))


def await_in_progress(caller: Caller, calls: int) -> None:
    until(lambda: in_progress(caller) == calls, f"{calls} calls wait")


def in_progress(caller: Caller) -> float:
    return scrape_used(caller).value("gateway_requests_in_progress")


@pytest.mark.parametrize(
    "rounds",
    [pytest.param(60, id="60 rounds"), pytest.param(1000, id="1000 rounds", marks=pytest.mark.full)],
)
@pytest.mark.timeout(900)
def test_a_write_through_one_gateway_is_seen_by_the_next_read_through_another(
    fleet: Fleet, sandbox: Sandbox, rounds: int
) -> None:
    rng = random.Random(7)
    write(fleet["a"], "jim")
    for number in range(rounds):
        writer, reader = rng.choice([("a", "b"), ("b", "a")])
        with ThreadPoolExecutor(4) as callers:
            besides = [callers.submit(read, fleet[rng.choice("ab")], "jim") for _ in range(rng.randint(0, 3))]
            assert write(fleet[writer], "jim", value=f"value-{number}").error == 0
            seen = read(fleet[reader], "jim")
            assert all(future.result(PATIENCE).error == 0 for future in besides)
        assert f"value-{number}".encode() in seen.body
        assert f"value-{number}".encode() in read(fleet[rng.choice("ab")], "jim").body


def test_passwords_are_shown_nowhere(platform: Platform, tmp_path: Path) -> None:
    secret = "pass-word-1234567"
    with (
        valkey.running(valkey.valkey(), tmp_path, "--requirepass", secret) as server,
        ExitStack() as stack,
    ):
        url = f"redis://:{secret}@127.0.0.1:{server.port}/0"
        gateway = fleet_over(server, platform, tmp_path, stack, redis={"url": url})
        caller = gateway.start("a")
        assert write(caller, "jim").error == 0
        shown = [caller.get(path).body for path in ("/readyz?verbose", "/metrics", "/-/status.json")]
        server.stop()
        until(lambda: b"calls go on without it" in caller.get("/readyz?verbose").body, "it is said")
        shown.append(caller.get("/readyz?verbose").body)
        gateway.running["a"].stop(signal.SIGTERM)
        shown.append(gateway.running["a"].log.encode())
    assert secret.encode() not in b"".join(shown)


def test_who_joined_at_another_gateway_is_linked_to_the_call_that_was_sent(
    server: Server, platform: Platform, tmp_path: Path
) -> None:
    with Receiver() as receiver, ExitStack() as stack:
        fleet = fleet_over(server, platform, tmp_path, stack, tracing={"enabled": True})
        fleet.environ = {**ENVIRON, **receiver.environ}
        fleet.start("a")
        fleet.start("b")
        platform.sandbox.faults.add(Fault(Kind.STALL, WRITE, When.BEFORE))
        with ThreadPoolExecutor(2) as callers:
            callers.submit(write, fleet["a"], "jim")
            until(lambda: under_way(fleet) == 1 and len(platform.sandbox.calls) == 1, "one is there")
            callers.submit(write, fleet["b"], "jim")
            until(lambda: waiting(server) == 2, "both are there")
            platform.sandbox.faults.release()
        spans = receiver.await_spans(3)
    roles = {span.attributes.get("gateway.flight", span.kind): span for span in spans}
    assert roles["CLIENT"].parent_id == roles["led"].span_id
    assert roles["joined"].links == ((roles["led"].trace_id, roles["led"].span_id),)
