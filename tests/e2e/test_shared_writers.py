"""A gateway is killed in the middle of a write: what the others that share its Valkey have kept meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests import valkey
from tests.e2e.caller import PATIENCE, Reply
from tests.e2e.conftest import TOKEN, Platform
from tests.e2e.shared_load import WRITE, attempt, executed, read, write
from tests.e2e.sharing import Fleet, fleet_over
from tests.e2e.waiting import until

BRIEF = {"upstream": {"timeouts": {"total": "5s"}}, "limits": {"queue_timeout": "0s"}}


@pytest.mark.parametrize(
    ("fleets", "rounds"),
    [pytest.param(1, 1, id="once"), pytest.param(3, 4, id="12 times", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
@pytest.mark.timeout(600)
def test_a_writer_killed_between_its_marks_leaves_nothing_old_behind(
    tmp_path: Path, when: When, fleets: int, rounds: int
) -> None:
    """Several fleets at a time: most of a round is waiting for a lease to end."""
    with ThreadPoolExecutor(fleets) as together:
        for each in [together.submit(kill_writers, tmp_path / str(n), when, rounds) for n in range(fleets)]:
            each.result()


def kill_writers(folder: Path, when: When, rounds: int) -> None:
    """Two gateways, a Valkey and a platform of their own; one of the gateways is killed in each round."""
    folder.mkdir()
    sandbox = Sandbox(sample_tokens(TOKEN))
    with (
        running_in_thread(sandbox) as base_url,
        valkey.running(valkey.valkey(), folder) as server,
        ExitStack() as stack,
    ):
        fleet = fleet_over(server, Platform(sandbox, base_url), folder, stack, **BRIEF)
        fleet.start("b")
        for number in range(rounds):
            fleet.start("a")
            kill_writer(fleet, sandbox, when, number)


def kill_writer(fleet: Fleet, sandbox: Sandbox, when: When, number: int) -> None:
    """What the round before has closed is open again when its lease ends: each begins with that."""
    name, value = f"name-{number}", f"value-{number}"
    write(fleet["a"], name)
    until(lambda: is_hit(read(fleet["b"], name)), "it is kept", 60)
    sandbox.calls.clear()
    sandbox.faults.add(Fault(Kind.STALL, WRITE, when))
    arrived = sandbox.calls.arrived(1)
    with ThreadPoolExecutor(1) as callers:
        lost = callers.submit(attempt, fleet["a"], name, value=value)
        arrived.result(PATIENCE)
        if when is When.AFTER:
            until(lambda: executed(sandbox, name) == 1, "it ran")
        during = [read(fleet["b"], name) for _ in range(2)]
        fleet.kill("a")
        assert lost.result(PATIENCE) is None
    after = [read(fleet["b"], name) for _ in range(2)]
    sandbox.faults.release()

    for answer in (*during, *after):
        assert answer.header("cache-status") == "gateway; fwd=miss"
        assert (value.encode() in answer.body) == (when is When.AFTER)


def is_hit(answer: Reply) -> bool:
    return (answer.header("cache-status") or "").startswith("gateway; hit")
