"""When the platform fails, what was kept stands in for its answer, for as long as promised; and a failure is
never kept as if it were an answer."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.sandbox.codes import Code
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.clock import Clock
from tests.e2e.conftest import GatewayWith
from tests.e2e.keeping import (
    CACHE,
    GET,
    JIM_XML,
    ask,
    asking,
    jim,
    name_jim,
    rule,
    said,
    times_asked,
)
from tests.e2e.scraping import counting, scrape_used
from tests.e2e.waiting import until

ONE_CALL_EACH = {"keepalive": "0s"}
"""Connections are not used again: a read that is reset on an old one is asked again, and that is another
matter."""

STALE_FOR = 360  # seconds: a minute fresh, five more where the platform fails


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def caller(gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox) -> Caller:
    """Of a gateway that has kept Jim, at the time 0. It waits for the platform for a second."""
    caller = gateway_with(
        clock=clock,
        cache=CACHE,
        upstream={"timeouts": {"first_byte": "1s"}, **ONE_CALL_EACH},
        methods=rule(stale_if_error="5m", negative_ttl={"404": "5s"}),
    )
    name_jim(caller, "Jim")
    assert said(ask(caller)) == ("fwd=miss; stored", None)
    return caller


def stale(age: float) -> tuple[str, str]:
    return f"hit; ttl={60 - int(age)}; detail=stale-if-error", str(int(age))


FAILURES = {
    "reset": Fault(Kind.RESET, GET, count=None),
    "no answer in time": Fault(Kind.STALL, GET, count=None),
    "a front server's page": Fault(Kind.HTML, GET, count=None),
    "garbage": Fault(Kind.GARBAGE, GET, count=None),
    "cut short": Fault(Kind.TOO_SHORT, GET, count=None),
}


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES.keys())
def test_what_is_kept_stands_in_for_every_failure(
    caller: Caller, clock: Clock, sandbox: Sandbox, fault: Fault
) -> None:
    sandbox.faults.add(fault)
    clock.at(100)
    with counting(caller) as changes:
        json, xml = ask(caller), caller.xml(GET, JIM_XML)
    assert [said(reply) for reply in (json, xml)] == [stale(100)] * 2
    assert [jim(reply) for reply in (json, xml)] == ["Jim"] * 2
    assert changes.requests == {(GET, "0", "stale"): 2}
    assert changes.of("gateway_cache_lookups_total", "api_method", "result") == {(GET, "stale"): 2}


@pytest.mark.parametrize("age", [60, STALE_FOR - 1])
def test_a_stale_answer_is_never_older_than_promised(
    caller: Caller, clock: Clock, sandbox: Sandbox, age: int
) -> None:
    sandbox.faults.add(Fault(Kind.RESET, GET, count=None))
    clock.at(age)
    assert said(ask(caller)) == stale(age)
    clock.at(STALE_FOR)
    failed = ask(caller)
    assert (failed.status, said(failed)) == (502, ("detail=upstream-reset", None))


def test_how_old_it_is_counts_when_the_platform_has_failed_not_when_it_was_asked(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, GET))
    clock.at(STALE_FOR - 1)
    with asking(caller) as late:
        sandbox.calls.arrived(3).result(PATIENCE)
        clock.at(STALE_FOR)
        sandbox.faults.end_stalls()
        assert late.result(PATIENCE).status == 502


def test_a_reply_that_a_write_has_overtaken_does_not_stand_in(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    name_jim(caller, "John")
    sandbox.faults.add(Fault(Kind.RESET, GET, count=None))
    clock.at(100)
    assert ask(caller).status == 502


def test_one_that_is_overtaken_while_the_platform_fails_does_not_stand_in_either(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(clock=clock, cache=CACHE, upstream=ONE_CALL_EACH, methods=rule(stale_if_error="5m"))
    name_jim(caller, "Jim")
    ask(caller)
    clock.at(100)
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with asking(caller) as failing:
        sandbox.calls.arrived(3).result(PATIENCE)
        name_jim(caller, "John")
        sandbox.faults.end_stalls()
        assert failing.result(PATIENCE).status == 502


@pytest.mark.parametrize("wish", ["no-cache", "no-store"])
def test_a_caller_that_wants_nothing_kept_is_told_of_the_failure(
    caller: Caller, clock: Clock, sandbox: Sandbox, wish: str
) -> None:
    sandbox.faults.add(Fault(Kind.RESET, GET))
    assert ask(caller, wish).status == 502
    assert said(ask(caller)) == ("hit; ttl=60", "0")


def test_a_failure_of_the_refresh_behind_a_stale_answer_is_nobodys_answer(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(
        clock=clock, cache=CACHE, upstream=ONE_CALL_EACH, methods=rule(stale_while_revalidate="30s")
    )
    name_jim(caller, "Jim")
    ask(caller)
    clock.at(70)
    sandbox.faults.add(Fault(Kind.RESET, GET, count=2))
    for failed in (1, 2):
        assert said(ask(caller)) == ("hit; ttl=-10; detail=stale-while-revalidate", "70")
        wait_for_resets(caller, failed)
        assert times_asked(sandbox) == 1 + failed


def wait_for_resets(caller: Caller, count: int) -> None:
    labels = {"account": "default", "kind": "reset"}
    until(
        lambda: scrape_used(caller).value("gateway_upstream_errors_total", **labels) == count,
        f"{count} attempts have failed",
    )


# Errors are no answers to keep.


def test_an_error_inside_http_200_is_never_kept_as_success(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(cache=CACHE, methods=rule(stale_if_error="5m"))
    name_jim(caller, "Jim")
    for code in [code for code in Code if code]:
        with erring(sandbox, code):
            reply = ask(caller)
        assert (reply.status, reply.error, said(reply)) == (200, code, ("fwd=miss", None))
    assert scrape_used(caller).value("gateway_cache_entries") == 0
    assert (jim(reply := ask(caller)), said(reply)) == ("Jim", ("fwd=miss; stored", None))


def test_an_error_of_the_platform_is_its_answer_and_nothing_stands_in_for_it(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    clock.at(100)
    with erring(sandbox, 500):
        reply = ask(caller)
    assert (reply.error, said(reply)) == (500, ("fwd=stale", None))
    sandbox.faults.add(Fault(Kind.RESET, GET))
    assert said(ask(caller)) == stale(100), "and it takes nothing away"


def test_an_error_with_a_time_of_its_own_is_kept_for_it_and_never_given_stale(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    def nobody() -> Reply:
        return caller.json(GET, db_id=1, matching="email", email="nobody@example.com")

    assert (nobody().error, said(nobody())) == (404, ("hit; ttl=5", "0"))
    clock.at(4.75)
    assert said(nobody()) == ("hit; ttl=0", "4")
    assert times_asked(sandbox) == 2, "Jim, and nobody once"
    clock.at(5)
    sandbox.faults.add(Fault(Kind.RESET, GET))
    assert nobody().status == 502
    assert said(nobody()) == ("fwd=miss; stored", None)


def test_an_add_ends_the_time_of_a_kept_404(caller: Caller) -> None:
    def nobody() -> Reply:
        return caller.json(GET, db_id=1, matching="email", email="new@example.com")

    assert (nobody().error, said(nobody())[0]) == (404, "hit; ttl=5")
    assert caller.json("profiles/add", db_id=1, data={"email": "new@example.com"}).error == 0
    assert nobody().error == 0


@contextmanager
def erring(sandbox: Sandbox, code: int) -> Iterator[None]:
    """The next read of Jim is answered with this code."""
    sandbox.faults.add(Fault(Kind.ERROR, GET, When.BEFORE, code=code))
    yield
    assert not list(sandbox.faults)
