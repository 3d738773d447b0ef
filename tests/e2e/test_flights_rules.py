"""What a method's rule and the settings say of repeats: `replay`, `repeats`, `dedup.enabled`."""

from functools import partial

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE
from tests.e2e.conftest import GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, JIM, at_once, ids_of, role, times_run
from tests.e2e.scraping import counting

ADD = "profiles/add"
NEW = {"db_id": 1, "data": {"email": "new@example.com"}}


def test_replay_always_answers_every_repeat_with_the_first_answer(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP, methods={IMPORT: {"replay": "always"}})
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(3)] == ["led", "replayed", "replayed"]
    assert times_run(sandbox) == 1


def test_replay_never_joins_and_owes_nothing(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(dedup=DEDUP, methods={IMPORT: {"replay": "never"}})
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, When.AFTER))
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, **JIM)] * 3) as replies:
        sandbox.faults.end_stalls()
        assert {reply.result(PATIENCE).status for reply in replies} == {502}
    assert len(ids_of(sandbox)) == 1, "they joined"
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 1, "an open outcome is asked for under the same id all the same"
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 2


def test_a_key_is_replayed_where_the_rule_says_never(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(dedup=DEDUP, methods={IMPORT: {"replay": "never"}})
    replies = [caller.json(IMPORT, ("Request-ID", "mine"), **JIM) for _ in range(2)]
    assert [role(reply) for reply in replies] == ["led", "replayed"]
    assert times_run(sandbox) == 1


def test_repeats_by_content_are_once_also_for_a_gateway_that_knows_nothing_of_the_first(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    first = gateway_with(dedup=DEDUP).json(ADD, **NEW)
    after_a_restart = gateway_with(dedup=DEDUP)
    with counting(after_a_restart) as changes:
        repeated = after_a_restart.xml(
            ADD, "<xml><data><email>new@example.com</email></data><db_id>1</db_id></xml>"
        )
    assert [role(first), role(repeated)] == ["led", "led"]
    assert (first.header("duplicate-request"), repeated.header("duplicate-request")) == (None, "true")
    assert repeated.xml().findtext("profile_id") == first.json()["profile_id"]
    assert len(set(ids_of(sandbox, ADD))) == 1
    assert times_run(sandbox, ADD) == 1
    assert changes.of("gateway_platform_duplicates_total", "api_method") == {(ADD,): 1}


def test_repeats_by_content_are_two_with_a_key_or_a_parameter_more(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP)
    assert role(caller.json(ADD, **NEW)) == "led"
    assert caller.json(ADD, ("Request-ID", "second"), **NEW).header("duplicate-request") is None
    assert caller.json(ADD + "?third=1", **NEW).header("duplicate-request") is None
    assert len(set(ids_of(sandbox, ADD))) == times_run(sandbox, ADD) == 3


@pytest.mark.parametrize("when", list(When))
def test_without_dedup_nothing_is_joined_or_replayed_but_each_call_has_one_id(
    gateway_with: GatewayWith, sandbox: Sandbox, when: When
) -> None:
    caller = gateway_with(dedup={"enabled": False}, upstream={"retries": {"attempts": 2, "backoff": "1ms"}})
    sandbox.faults.add(Fault(Kind.RESET, IMPORT, when))
    replies = [caller.json(IMPORT, **JIM) for _ in range(2)]
    replies += [caller.json(IMPORT, ("Request-ID", "mine"), **JIM) for _ in range(2)]
    assert [role(reply) for reply in replies] == ["led"] * 4
    first, again, second, *mine = ids_of(sandbox)
    assert first == again != second
    assert mine == ["mine", "mine"], "this repeat is the platform's to recognise"
    assert replies[-1].header("duplicate-request") == "true"
    assert times_run(sandbox) == 3
