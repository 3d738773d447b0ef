"""Identical modifying calls at the same time run once; calls that were meant twice run twice."""

from collections import Counter
from functools import partial

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, JIM, JIM_XML, at_once, ids_of, role, times_run
from tests.e2e.scraping import counting, scrape_used


@pytest.fixture
def caller(gateway_with: GatewayWith) -> Caller:
    return gateway_with(dedup=DEDUP)


@pytest.mark.parametrize("when", list(When))
def test_200_identical_writes_in_both_formats_run_once_and_all_are_answered(
    caller: Caller, sandbox: Sandbox, when: When
) -> None:
    other_order = dict(reversed(JIM.items()))
    calls = [
        partial(caller.json, IMPORT, **JIM),
        partial(caller.json, IMPORT, **other_order),
        partial(caller.xml, IMPORT, JIM_XML),
        partial(caller.json, f"/{IMPORT}/", **JIM),
    ] * 50
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, when))
    with counting(caller) as changes, at_once(caller, sandbox, calls) as replies:
        assert scrape_used(caller).value("gateway_flights_in_progress") == 1
        sandbox.faults.release()
        answered = [reply.result(PATIENCE) for reply in replies]
    (run,) = sandbox.calls.of(IMPORT)
    assert Counter(role(reply) for reply in answered) == {"led": 1, "joined": 199}
    assert {reply.header("request-id") for reply in answered} == {run.request_id}
    profiles = {reply.json()["profile_id"] for reply in answered if b"{" in reply.body}
    assert {reply.xml().findtext("profile_id") for reply in answered if b"{" not in reply.body} == profiles
    assert changes.of("gateway_flights_total", "api_method", "role") == {
        (IMPORT, "led"): 1,
        (IMPORT, "joined"): 199,
    }
    assert changes.requests == {(IMPORT, "0", "upstream"): 1, (IMPORT, "0", "joined"): 199}
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {(IMPORT, "answered"): 1}


def test_an_error_of_the_platform_is_the_answer_of_all_who_wait(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, "profiles/update"))
    nobody = {**JIM, "email": "nobody@example.com"}
    with at_once(caller, sandbox, [partial(caller.json, "profiles/update", **nobody)] * 3) as replies:
        sandbox.faults.release()
        assert {reply.result(PATIENCE).error for reply in replies} == {404}
    assert times_run(sandbox, "profiles/update") == 1


def test_two_honest_identical_writes_are_two(caller: Caller, sandbox: Sandbox) -> None:
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(2)] == ["led", "led"]
    assert times_run(sandbox) == 2
    assert len(set(ids_of(sandbox))) == 2


def test_jim_john_jim_ends_as_jim(caller: Caller, sandbox: Sandbox) -> None:
    for name in ("Jim", "John", "Jim"):
        assert role(caller.json(IMPORT, **{**JIM, "data": {"_fname": name}})) == "led"
    found = caller.json("profiles/get", db_id=1, email=JIM["email"]).json()
    assert found["data"]["_fname"] == "Jim"


def test_an_update_that_found_nobody_is_really_tried_again(caller: Caller, sandbox: Sandbox) -> None:
    ann = {"db_id": 1, "email": "ann@example.com", "data": {"_fname": "Ann"}}
    assert caller.json("profiles/update", **ann).error == 404
    added = caller.json("profiles/add", db_id=1, data={"email": "ann@example.com"})
    assert added.error == 0
    assert role(caller.json("profiles/update", **ann)) == "led"
    assert [call.code for call in sandbox.calls.executed("profiles/update")] == [404, 0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((IMPORT, {**JIM, "db_id": 2}), id="another value"),
        pytest.param((IMPORT + "?second=1", JIM), id="another address"),
        pytest.param(("profiles/update", JIM), id="another method"),
    ],
)
def test_calls_that_differ_do_not_wait_for_one_another(
    caller: Caller, sandbox: Sandbox, other: tuple[str, dict[str, object]]
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    api_method, params = other
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, **JIM)]) as replies:
        assert caller.json(api_method, **params).header("gateway-flight") == "led"
        sandbox.faults.release()
        assert role(replies[0].result(PATIENCE)) == "led"


def test_a_rejected_token_is_told_and_not_remembered(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(dedup=DEDUP, token={"env": "STRANGER_TOKEN"})
    with counting(caller) as changes:
        replies = [caller.json(IMPORT, ("Request-ID", "mine"), **JIM) for _ in range(2)]
    assert [(reply.error, reply.header("gateway-flight")) for reply in replies] == [(401, "led")] * 2
    assert ids_of(sandbox) == ["mine", "mine"]
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {(IMPORT, "not_sent"): 2}


@pytest.mark.parametrize("api_method", [IMPORT, "profiles/get"])
def test_a_number_that_is_too_long_is_refused_and_not_sent(
    caller: Caller, sandbox: Sandbox, api_method: str
) -> None:
    with counting(caller) as changes:
        reply = caller.call(api_method, '{"db_id": %s}' % ("1" * 5000))
    assert (reply.status, reply.error_text) == (400, "gateway: a number has more than 1000 characters")
    assert not list(sandbox.calls)
    assert changes.requests == {(api_method, "400", "gateway"): 1}
