"""Nobody is shown a state older than a write that has ended: not from the cache, not by joining, not stale.

Every order of a read's two ends and a write's two is forced by stalling them on the platform: a read that is
stalled after it ran holds the old state in its hands, a write that is stalled after it ran has changed it
already.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.clock import Clock
from tests.e2e.conftest import ENVIRON, Platform, settings_for
from tests.e2e.flying import DEDUP, IMPORT
from tests.e2e.inthread import RunningGateway, running_gateway
from tests.e2e.keeping import CACHE, GET, ask, asking, jim, name_jim, rule, said

STEPS = ("read begins", "read ends", "write begins", "write ends")


@pytest.fixture(scope="module", params=["60s", "0s"], ids=["kept", "not kept"])
def _fenced(
    shared_platform: Platform, catalogue: Catalogue, request: pytest.FixtureRequest
) -> Iterator[RunningGateway]:
    """Time stands still for it, so that nothing grows old."""
    rules = rule(ttl=request.param, stale_while_revalidate="30s", stale_if_error="5m")
    settings = settings_for(shared_platform.base_url, cache=CACHE, dedup=DEDUP, methods=rules)
    with running_gateway(settings, ENVIRON, catalogue, Clock()) as gateway:
        yield gateway


@pytest.fixture
def caller(_fenced: RunningGateway, sandbox: Sandbox) -> Iterator[Caller]:
    """Jim is Jim, nothing of him is kept, and the platform remembers no call."""
    name_jim(_fenced.caller, "Jim")
    sandbox.calls.clear()
    yield _fenced.caller
    sandbox.faults.clear()
    _fenced.assert_idle()


def orders() -> Iterator[Any]:
    for order in permutations(STEPS):
        place = order.index
        if place("read begins") < place("read ends") and place("write begins") < place("write ends"):
            yield pytest.param(order, id=", ".join(order))


@pytest.mark.parametrize("ran", list(When), ids=lambda when: f"the write runs {when} its stall")
@pytest.mark.parametrize("order", list(orders()))
def test_after_a_write_has_ended_every_read_sees_it(
    caller: Caller, sandbox: Sandbox, order: tuple[str, ...], ran: When
) -> None:
    done: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        read: Future[Reply]
        write: Future[Reply]
        for step in order:
            arrival = sandbox.calls.arrived(len(sandbox.calls) + 1)
            match step:
                case "read begins":
                    sandbox.faults.add(Fault(Kind.STALL, GET, When.AFTER))
                    read = pool.submit(ask, caller)
                    arrival.result(PATIENCE)
                case "read ends":
                    sandbox.faults.release(GET)
                    assert jim(read.result(PATIENCE)) in ("Jim", "John")
                case "write begins":
                    sandbox.faults.add(Fault(Kind.STALL, IMPORT, ran))
                    write = pool.submit(name_jim, caller, "John")
                    arrival.result(PATIENCE)
                case _:
                    sandbox.faults.release(IMPORT)
                    write.result(PATIENCE)
                    if "read begins" in done:
                        assert jim(ask(caller)) == "John"
            done.append(step)
        assert jim(ask(caller)) == "John"
    assert jim(ask(caller)) == "John"


def test_a_read_that_was_stalled_through_a_whole_write_is_not_kept_and_not_joined(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, GET, When.AFTER))
    with asking(caller) as old:
        sandbox.calls.arrived(1).result(PATIENCE)
        name_jim(caller, "John")
        new = ask(caller)
        sandbox.faults.release()
        assert jim(old.result(PATIENCE)) == "Jim", "it was asked before"
        assert said(old.result()) in (("fwd=miss", None), ("fwd=bypass", None))
    assert jim(new) == "John"
    assert "collapsed" not in said(new)[0]
    assert jim(ask(caller)) == "John"
