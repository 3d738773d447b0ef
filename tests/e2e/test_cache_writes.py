"""What a write does to what is kept: it is gone, and nothing that began before the write ended brings it
back."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.clock import Clock
from tests.e2e.conftest import GatewayWith
from tests.e2e.flying import IMPORT
from tests.e2e.keeping import CACHE, GET, ask, asking, jim, name_jim, rule, said


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def caller(gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox) -> Caller:
    """Of a gateway that keeps Jim for a minute. He exists, and the platform remembers no call."""
    rules = rule(stale_while_revalidate="30s", stale_if_error="5m")
    caller = gateway_with(clock=clock, cache=CACHE, methods=rules)
    name_jim(caller, "Jim")
    sandbox.calls.clear()
    return caller


def test_a_write_takes_away_what_was_kept(caller: Caller) -> None:
    ask(caller)
    assert said(ask(caller))[0] == "hit; ttl=60"
    name_jim(caller, "John")
    assert (jim(reply := ask(caller)), said(reply)[0]) == ("John", "fwd=miss; stored")


def test_while_a_write_is_under_way_nothing_is_kept(caller: Caller, sandbox: Sandbox) -> None:
    ask(caller)
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with ThreadPoolExecutor(1) as pool:
        write = pool.submit(name_jim, caller, "John")
        sandbox.calls.arrived(2).result(PATIENCE)
        assert [said(ask(caller)) for _ in range(2)] == [("fwd=miss", None)] * 2
        sandbox.faults.release()
        write.result(PATIENCE)
    assert jim(ask(caller)) == "John"


def test_a_stale_reply_that_a_write_has_overtaken_is_not_given(caller: Caller, clock: Clock) -> None:
    ask(caller)
    clock.at(70)
    name_jim(caller, "John")
    assert (jim(reply := ask(caller)), said(reply)[0]) == ("John", "fwd=miss; stored")


def test_a_refresh_that_a_write_has_overtaken_is_not_kept(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    ask(caller)
    clock.at(70)
    sandbox.faults.add(Fault(Kind.STALL, GET, When.AFTER))
    assert said(ask(caller))[0] == "hit; ttl=-10; detail=stale-while-revalidate"
    sandbox.calls.arrived(2).result(PATIENCE)
    name_jim(caller, "John")
    assert (jim(reply := ask(caller)), said(reply)[0]) == ("John", "fwd=miss; stored")
    sandbox.faults.release()
    assert (jim(reply := ask(caller)), said(reply)) == ("John", ("hit; ttl=60", "0"))


def test_a_write_of_another_database_takes_nothing(caller: Caller) -> None:
    ask(caller)
    assert caller.json(IMPORT, db_id=2, email="other@example.com", data={}).error == 0
    assert said(ask(caller))[0] == "hit; ttl=60"


def test_a_write_that_failed_takes_it_away_all_the_same(caller: Caller, sandbox: Sandbox) -> None:
    """Whether an error changed something only the platform knows."""
    ask(caller)
    sandbox.faults.add(Fault(Kind.ERROR, IMPORT, code=500))
    assert caller.json(IMPORT, db_id=1, email="jim@example.com", data={}).error == 500
    assert said(ask(caller))[0] == "fwd=miss; stored"


def test_after_an_unknown_outcome_nothing_is_kept_until_it_has_settled(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    ask(caller)
    sandbox.faults.add(Fault(Kind.RESET, IMPORT))
    assert caller.json(IMPORT, db_id=1, email="jim@example.com", data={"_fname": "Lost"}).status == 502
    for moment in (0, 59.75):
        clock.at(moment)
        assert said(ask(caller)) == ("fwd=miss", None)
    clock.at(60)
    assert said(ask(caller)) == ("fwd=miss; stored", None)
    assert said(ask(caller)) == ("hit; ttl=60", "0")


def test_a_read_that_began_before_it_had_settled_is_not_kept_after_it(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.RESET, IMPORT))
    assert caller.json(IMPORT, db_id=1, email="jim@example.com", data={"_fname": "Lost"}).status == 502
    clock.at(59)
    sandbox.faults.add(Fault(Kind.STALL, GET, When.AFTER))
    with asking(caller) as early:
        sandbox.calls.arrived(2).result(PATIENCE)
        clock.at(60)
        sandbox.faults.release()
        assert said(early.result(PATIENCE)) == ("fwd=miss", None)
    assert said(ask(caller)) == ("fwd=miss; stored", None)


def test_after_the_start_of_a_task_nothing_is_kept_until_it_has_settled(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    """Its answer says that it was begun; the platform goes on changing after that."""
    counters = rule(tags=["counters"])
    caller = gateway_with(clock=clock, cache=CACHE, methods=counters)
    name_jim(caller, "Jim")
    ask(caller)
    assert said(ask(caller))[0] == "hit; ttl=60", "a profile is none of the counters' business"
    assert caller.json("databases/refresh_counters", id=1, resource_id=1).error == 0
    assert said(ask(caller)) == ("fwd=miss", None)
    clock.at(60)
    assert said(ask(caller)) == ("fwd=miss; stored", None)
