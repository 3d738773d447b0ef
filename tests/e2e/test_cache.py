"""A read is answered from what is kept for exactly as long as promised, and every answer says so."""

from collections.abc import Callable

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller
from tests.e2e.clock import Clock
from tests.e2e.conftest import GatewayWith
from tests.e2e.keeping import (
    CACHE,
    GET,
    JIM,
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def caller(gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox) -> Caller:
    """Of a gateway that keeps Jim for a minute, and may give him stale for half a minute more, or for two
    where the platform fails. He exists."""
    rules = rule(stale_while_revalidate="30s", stale_if_error="2m")
    caller = gateway_with(clock=clock, cache=CACHE, methods=rules)
    name_jim(caller, "Jim")
    return caller


def lookups(caller: Caller, act: Callable[[], object]) -> dict[tuple[str, ...], float]:
    """What `act` did to the metrics: reads by what the cache had, and calls by where the answer came from."""
    with counting(caller) as changes:
        act()
    return {**changes.of("gateway_cache_lookups_total", "api_method", "result"), **changes.requests}


def test_a_reply_is_kept_for_its_ttl_and_tells_its_age(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    def ask_twice() -> None:
        assert said(ask(caller)) == ("fwd=miss; stored", None)
        clock.at(12.5)
        assert said(ask(caller)) == ("hit; ttl=47", "12")

    assert lookups(caller, ask_twice) == {
        (GET, "miss"): 1,
        (GET, "hit"): 1,
        (GET, "0", "upstream"): 1,
        (GET, "0", "cache"): 1,
    }
    clock.at(59.75)
    assert said(ask(caller)) == ("hit; ttl=0", "59")
    assert times_asked(sandbox) == 1


def test_a_hit_is_the_platforms_reply_byte_for_byte(caller: Caller) -> None:
    first, second = ask(caller), ask(caller)
    assert (second.status, second.body) == (first.status, first.body)
    assert second.header("content-type") == first.header("content-type")


@pytest.mark.parametrize("age", [60.0, 60.5, 89.75])
def test_past_its_ttl_it_is_given_at_once_while_a_new_one_is_fetched(
    caller: Caller, clock: Clock, sandbox: Sandbox, age: float
) -> None:
    ask(caller)
    clock.at(age)
    sandbox.faults.add(Fault(Kind.STALL, GET))

    def ask_while_it_is_fetched() -> None:
        for _ in range(3):
            stale = ask(caller)
            assert said(stale) == (
                f"hit; ttl={int(-age // 1) + 60}; detail=stale-while-revalidate",
                str(int(age)),
            )
            assert jim(stale) == "Jim"

    assert lookups(caller, ask_while_it_is_fetched) == {(GET, "stale"): 3, (GET, "0", "stale"): 3}
    until(lambda: times_asked(sandbox) == 2, "it is asked for again")
    sandbox.faults.release()
    until(lambda: said(ask(caller)) == ("hit; ttl=60", "0"), "the new reply is kept")
    assert times_asked(sandbox) == 2, "one question for all of them"


@pytest.mark.parametrize(("age", "forwarded"), [(90, "stale"), (179.75, "stale"), (180, "miss")])
def test_past_both_it_is_asked_for_again(
    caller: Caller, clock: Clock, sandbox: Sandbox, age: float, forwarded: str
) -> None:
    ask(caller)
    clock.at(age)
    assert said(ask(caller)) == (f"fwd={forwarded}; stored", None)
    assert said(ask(caller)) == ("hit; ttl=60", "0")
    assert times_asked(sandbox) == 2


def test_a_reply_is_as_old_as_its_question(caller: Caller, clock: Clock, sandbox: Sandbox) -> None:
    """What the platform saw when it was asked may have ceased to be true by the time it answered."""
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with asking(caller) as first:
        sandbox.calls.arrived(2).result(PATIENCE)
        clock.at(50)
        sandbox.faults.release()
        assert said(first.result(PATIENCE)) == ("fwd=miss; stored", None)
    assert said(ask(caller)) == ("hit; ttl=10", "50")


def test_what_took_longer_than_it_may_be_kept_is_not_stored(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with asking(caller) as first:
        sandbox.calls.arrived(2).result(PATIENCE)
        clock.at(180)
        sandbox.faults.release()
        assert said(first.result(PATIENCE)) == ("fwd=miss", None)
    assert said(ask(caller)) == ("fwd=miss; stored", None)


def test_a_caller_that_wants_a_new_answer_gets_one_and_leaves_it_for_others(
    caller: Caller, clock: Clock, sandbox: Sandbox
) -> None:
    ask(caller)
    clock.at(30)
    assert said(ask(caller, "no-cache")) == ("fwd=request; stored", None)
    assert said(ask(caller)) == ("hit; ttl=60", "0")
    assert times_asked(sandbox) == 2


def test_no_store_leaves_no_trace(caller: Caller, sandbox: Sandbox) -> None:
    assert said(ask(caller, "no-store")) == ("fwd=bypass", None)
    assert scrape_used(caller).value("gateway_cache_entries") == 0
    assert said(ask(caller)) == ("fwd=miss; stored", None)
    assert said(ask(caller, "no-store")) == ("fwd=bypass", None)
    assert said(ask(caller)) == ("hit; ttl=60", "0")
    assert times_asked(sandbox) == 3


def test_only_if_cached_never_has_the_platform_asked(caller: Caller, clock: Clock, sandbox: Sandbox) -> None:
    refused = ask(caller, "only-if-cached")
    assert (refused.status, refused.error, said(refused)) == (504, 504, ("detail=not-cached", None))
    assert times_asked(sandbox) == 0
    ask(caller)
    assert said(ask(caller, "only-if-cached")) == ("hit; ttl=60", "0")
    clock.at(70)
    stale = ask(caller, "only-if-cached")
    assert said(stale) == ("hit; ttl=-10; detail=stale-while-revalidate", "70")
    clock.at(90)
    assert ask(caller, "only-if-cached").status == 504
    assert times_asked(sandbox) == 1


@pytest.mark.parametrize("ttl", ["0s", "60s"])
def test_what_is_not_to_be_kept_is_passed_by(gateway_with: GatewayWith, sandbox: Sandbox, ttl: str) -> None:
    caller = gateway_with(cache={"enabled": ttl == "0s"}, methods=rule(ttl=ttl))
    name_jim(caller, "Jim")
    for _ in range(2):
        assert said(ask(caller)) == ("fwd=bypass", None)
    assert ask(caller, "only-if-cached").status == 504
    assert times_asked(sandbox) == 2


def test_what_is_kept_answers_callers_of_both_formats(caller: Caller, sandbox: Sandbox) -> None:
    first = ask(caller)
    xml = caller.xml(GET, JIM_XML)
    assert (said(xml), jim(xml)) == (("hit; ttl=60", "0"), "Jim")
    assert {child.tag for child in xml.xml().iter()} >= {"error", "data", "_id"}
    again = caller.call(GET, JIM_XML, content_type="application/xml")
    assert (said(again), again.body) == (("hit; ttl=60", "0"), first.body)
    assert times_asked(sandbox) == 1


def test_what_an_xml_caller_left_answers_one_of_json(caller: Caller, sandbox: Sandbox) -> None:
    assert said(caller.xml(GET, JIM_XML)) == ("fwd=miss; stored", None)
    reply = ask(caller)
    assert (said(reply), jim(reply), reply.json()["data"]["subscriptions"]) == (
        ("hit; ttl=60", "0"),
        "Jim",
        [],
    )
    assert times_asked(sandbox) == 1


def test_calls_of_one_meaning_share_a_reply_and_others_do_not(caller: Caller, sandbox: Sandbox) -> None:
    ask(caller)
    same = caller.call(GET, '{"email": "jim@example.com",  "db_id": "1", "matching": "\\u0065mail"}')
    assert said(same) == ("hit; ttl=60", "0")
    other = caller.json(GET, **{**JIM, "email": "JIM@example.com"})
    assert said(other)[0].startswith("fwd=miss")
    assert times_asked(sandbox) == 2


def test_a_read_with_query_is_the_same_read(caller: Caller, sandbox: Sandbox) -> None:
    first = caller.send(
        "QUERY",
        caller.base_path + GET,
        b'{"db_id":1,"matching":"email","email":"jim@example.com"}',
        ("Content-Type", JSON),
    )
    assert said(first) == ("fwd=miss; stored", None)
    assert said(ask(caller)) == ("hit; ttl=60", "0")
