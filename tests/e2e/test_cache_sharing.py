"""Identical reads are one question to the platform, and what is kept is for those only who may see it."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token
from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith, Platform
from tests.e2e.flying import at_once, sent
from tests.e2e.keeping import CACHE, GET, JIM, JIM_XML, ask, asking, jim, name_jim, rule, said, times_asked
from tests.e2e.scraping import counting, scrape_used
from tests.e2e.waiting import until

CROWD = 100
SECOND = "second-token-of-the-gateway"

Caching = Callable[..., Caller]


@pytest.fixture
def caching(gateway_with: GatewayWith, sandbox: Sandbox) -> Caching:
    """Makes a gateway with a cache and the rule for Jim; he exists, and the platform remembers no call."""

    def make(ttl: str = "60s", /, **sections: Any) -> Caller:
        caller = gateway_with(**{"cache": CACHE, "methods": rule(ttl=ttl), **sections})
        name_jim(caller, "Jim")
        sandbox.calls.clear()
        return caller

    return make


def crowd(caller: Caller) -> list[Callable[[], Reply]]:
    return [partial(ask, caller), partial(caller.xml, GET, JIM_XML)] * (CROWD // 2)


@pytest.mark.parametrize("ttl", ["60s", "0s"], ids=["kept", "not kept"])
def test_a_hundred_callers_of_one_read_are_one_question(caching: Caching, sandbox: Sandbox, ttl: str) -> None:
    caller = caching(ttl)
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with counting(caller) as changes, at_once(caller, sandbox, crowd(caller)) as replies:
        sandbox.faults.release()
        answers = [reply.result(PATIENCE) for reply in replies]
    assert {jim(answer) for answer in answers} == {"Jim"}
    assert times_asked(sandbox) == 1
    first, stored = ("miss", "; stored") if ttl == "60s" else ("bypass", "")
    assert Counter(said(answer)[0] for answer in answers) == {
        f"fwd={first}{stored}": 1,
        f"fwd={first}; collapsed": CROWD - 1,
    }
    assert changes.requests == {(GET, "0", "upstream"): 1, (GET, "0", "joined"): CROWD - 1}
    assert changes.of("gateway_cache_lookups_total", "api_method", "result") == {
        (GET, first): 1,
        (GET, "collapsed"): CROWD - 1,
    }
    assert changes.of("gateway_upstream_requests_total", "api_method", "code") == {(GET, "0"): 1}


def test_a_failure_is_shared_as_well_and_costs_one_question(caching: Caching, sandbox: Sandbox) -> None:
    caller = caching(upstream={"keepalive": "0s"})
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with at_once(caller, sandbox, crowd(caller)) as replies:
        sandbox.faults.end_stalls()
        assert {reply.result(PATIENCE).status for reply in replies} == {502}
    assert times_asked(sandbox) == 1
    assert jim(ask(caller)) == "Jim", "and is not kept"


def test_a_caller_that_leaves_takes_the_answer_from_nobody(caching: Caching, sandbox: Sandbox) -> None:
    caller = caching()
    sandbox.faults.add(Fault(Kind.STALL, GET))
    with sent(caller, GET, **JIM):
        sandbox.calls.arrived(1).result(PATIENCE)
    with asking(caller) as other:
        until(lambda: scrape_used(caller).value("gateway_requests_in_progress") >= 1, "the other is there")
        sandbox.faults.release()
        assert jim(other.result(PATIENCE)) == "Jim"
    assert said(ask(caller))[0] == "hit; ttl=59"
    assert times_asked(sandbox) == 1


def test_where_the_rule_says_so_identical_reads_are_questions_of_their_own(
    caching: Caching, sandbox: Sandbox
) -> None:
    caller = caching(methods=rule(coalesce=False))
    sandbox.faults.add(Fault(Kind.STALL, GET, count=2))
    with at_once(caller, sandbox, [partial(ask, caller)] * 2) as replies:
        sandbox.calls.arrived(2).result(PATIENCE)
        sandbox.faults.release()
        assert [said(reply.result(PATIENCE))[0] for reply in replies] == ["fwd=miss; stored"] * 2


# Who may see what is kept.


def test_what_one_account_has_kept_never_answers_another(
    caching: Caching, platform: Platform, sandbox: Sandbox
) -> None:
    """Both are the same platform, and ask the same; they may not see the same."""
    account = {"base_url": platform.base_url, "token": {"env": "READER_TOKEN"}}
    first = caching(accounts={"reader": account})
    second = Caller(first.address, base_path="/accounts/reader/api/v1.1/")
    assert [said(ask(caller))[0] for caller in (first, second)] == ["fwd=miss; stored"] * 2
    assert [said(ask(caller))[0].split(";")[0] for caller in (first, second)] == ["hit"] * 2
    assert [call.token for call in sandbox.calls.of(GET)] == ["full-1", "reader"]


def test_accounts_that_ask_the_same_at_once_do_not_join(
    caching: Caching, platform: Platform, sandbox: Sandbox
) -> None:
    account = {"base_url": platform.base_url, "token": {"env": "READER_TOKEN"}}
    first = caching(accounts={"reader": account})
    second = Caller(first.address, base_path="/accounts/reader/api/v1.1/")
    sandbox.faults.add(Fault(Kind.STALL, GET, count=2))
    with at_once(first, sandbox, [partial(ask, first), partial(ask, second)]) as replies:
        sandbox.calls.arrived(2).result(PATIENCE)
        sandbox.faults.release()
        assert {said(reply.result(PATIENCE)) for reply in replies} == {("fwd=miss; stored", None)}
    assert {call.token for call in sandbox.calls.of(GET)} == {"full-1", "reader"}


def test_a_write_of_one_account_ends_what_another_one_of_the_same_platform_has_kept(
    caching: Caching, platform: Platform, sandbox: Sandbox
) -> None:
    account = {"base_url": platform.base_url, "token": {"env": "READER_TOKEN"}}
    writer = caching(accounts={"reader": account})
    reader = Caller(writer.address, base_path="/accounts/reader/api/v1.1/")
    assert [jim(ask(reader)), said(ask(reader))[0].split(";")[0]] == ["Jim", "hit"]
    name_jim(writer, "John")
    assert jim(ask(reader)) == "John"


def test_what_came_under_one_token_does_not_answer_under_the_next(
    caching: Caching, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    caller = caching(token={"file": str(secret)})
    ask(caller)
    assert said(ask(caller))[0].startswith("hit")
    secret.write_text(SECOND)
    until(lambda: rotations(caller) == 1, "the new token is used")
    assert said(ask(caller)) == ("fwd=miss; stored", None)
    assert said(ask(caller))[0].startswith("hit")
    secret.write_text(TOKEN)
    until(lambda: rotations(caller) == 2, "the old token is back")
    assert said(ask(caller))[0].startswith("hit"), "what came under it is its own"
    assert [call.token for call in sandbox.calls.of(GET)] == ["full-1", "second"]


def test_a_question_under_one_token_is_not_joined_under_the_next(
    caching: Caching, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    caller = caching(token={"file": str(secret)})
    sandbox.faults.add(Fault(Kind.STALL, GET, When.AFTER))
    with asking(caller) as old:
        sandbox.calls.arrived(1).result(PATIENCE)
        secret.write_text(SECOND)
        until(lambda: rotations(caller) == 1, "the new token is used")
        assert said(ask(caller)) == ("fwd=miss; stored", None)
        sandbox.faults.release()
        assert jim(old.result(PATIENCE)) == "Jim"
    assert said(ask(caller))[0].startswith("hit")
    assert [call.token for call in sandbox.calls.of(GET)] == ["full-1", "second"]


def test_a_caller_cannot_choose_whose_replies_it_gets_by_a_token_of_its_own(
    caching: Caching, sandbox: Sandbox
) -> None:
    caller = caching()
    ask(caller)
    reply = caller.json(GET, **JIM, token=ENVIRON["PARTNER_TOKEN"])
    assert (said(reply)[0].split(";")[0], jim(reply)) == ("hit", "Jim")
    assert times_asked(sandbox) == 1


def rotations(caller: Caller) -> float:
    return scrape_used(caller).value("gateway_token_rotations_total", account="default", token="default")
