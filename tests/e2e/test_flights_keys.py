"""A caller's own key is the call: run once for as long as it is known, however often it comes."""

from functools import partial

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller, Header
from tests.e2e.conftest import GatewayWith, Platform
from tests.e2e.flying import DEDUP, IMPORT, JIM, JIM_XML, at_once, ids_of, role, sent, times_run
from tests.e2e.scraping import counting

KEY: Header = ("Request-ID", "order-17")
JOHN = {**JIM, "data": {"_fname": "John"}}


@pytest.fixture
def caller(gateway_with: GatewayWith) -> Caller:
    return gateway_with(dedup=DEDUP)


def test_the_same_key_runs_once_and_every_repeat_gets_the_first_answer(
    caller: Caller, sandbox: Sandbox
) -> None:
    with counting(caller) as changes:
        first = caller.json(IMPORT, KEY, **JIM)
        repeats = [caller.json(IMPORT, KEY, **JIM) for _ in range(3)]
    assert [role(reply) for reply in (first, *repeats)] == ["led", *["replayed"] * 3]
    assert {reply.body for reply in repeats} == {first.body}
    assert {reply.header("request-id") for reply in (first, *repeats)} == {KEY[1]}
    assert ids_of(sandbox) == [KEY[1]]
    assert changes.requests == {(IMPORT, "0", "upstream"): 1, (IMPORT, "0", "replayed"): 3}
    assert changes.of("gateway_flights_total", "api_method", "role") == {
        (IMPORT, "led"): 1,
        (IMPORT, "replayed"): 3,
    }


@pytest.mark.parametrize(
    "other", ["Request-ID: order-17", "Idempotency-Key: order-17", 'Idempotency-Key: "order-17"']
)
def test_a_key_is_the_same_key_in_either_header_and_format(
    caller: Caller, sandbox: Sandbox, other: str
) -> None:
    first = caller.json(IMPORT, KEY, **JIM)
    name, value = other.split(": ")
    repeated = caller.xml(IMPORT, JIM_XML, (name, value))
    assert role(repeated) == "replayed"
    assert repeated.xml().findtext("profile_id") == first.json()["profile_id"]
    assert times_run(sandbox) == 1


def test_the_same_key_with_another_call_is_refused_whatever_became_of_the_first(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, KEY, **JIM)]) as replies:
        assert_key_reused(caller)
        sandbox.faults.end_stalls()
        assert replies[0].result(PATIENCE).status == 502
    assert_key_reused(caller)
    assert role(caller.json(IMPORT, KEY, **JIM)) == "led"
    assert_key_reused(caller)
    assert ids_of(sandbox) == [KEY[1]] * 2
    assert times_run(sandbox) == 1


def assert_key_reused(caller: Caller) -> None:
    for refused in (caller.json(IMPORT, KEY, **JOHN), caller.json("profiles/update", KEY, **JIM)):
        assert (refused.status, refused.error) == (422, 450)
        assert refused.header("gateway-flight") is None


def test_two_keys_are_two_calls_and_a_key_is_not_a_call_without_one(caller: Caller, sandbox: Sandbox) -> None:
    headers: list[tuple[Header, ...]] = [(KEY,), (("Request-ID", "order-18"),), ()]
    assert [role(caller.json(IMPORT, *header, **JIM)) for header in headers] == ["led"] * 3
    assert times_run(sandbox) == 3


def test_a_key_belongs_to_its_account(
    gateway_with: GatewayWith, sandbox: Sandbox, platform: Platform
) -> None:
    partner = {"base_url": platform.base_url, "token": {"env": "PARTNER_TOKEN"}}
    caller = gateway_with(dedup=DEDUP, accounts={"partner": partner})
    other = Caller(caller.address, base_path="/accounts/partner/api/v1.1/")
    assert role(caller.json(IMPORT, KEY, **JIM)) == "led"
    assert other.json(IMPORT, KEY, **JOHN).header("gateway-flight") == "led"
    assert len(sandbox.calls) == 2


def test_a_caller_that_left_finds_its_answer_under_its_key(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with sent(caller, IMPORT, KEY, **JIM):
        sandbox.calls.arrived(1).result(PATIENCE)
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, KEY, **JIM)], besides=1) as replies:
        sandbox.faults.release()
        assert role(replies[0].result(PATIENCE)) == "joined"
    assert role(caller.json(IMPORT, KEY, **JIM)) == "replayed"
    assert times_run(sandbox) == 1


def test_an_error_of_the_platform_is_kept_under_the_key_too(caller: Caller, sandbox: Sandbox) -> None:
    nobody = {**JIM, "email": "nobody@example.com"}
    replies = [caller.json("profiles/update", KEY, **nobody) for _ in range(2)]
    assert [(reply.error, reply.header("gateway-flight")) for reply in replies] == [
        (404, "led"),
        (404, "replayed"),
    ]
    assert times_run(sandbox, "profiles/update") == 1


def test_an_answer_that_made_room_is_asked_for_again_under_its_key(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup={"enabled": True, "max_bytes": "1KiB"})
    assert role(caller.json(IMPORT, KEY, **JIM)) == "led"
    for number in range(3):
        assert role(caller.json(IMPORT, ("Request-ID", f"other-{number}"), **JIM)) == "led"
    again = caller.json(IMPORT, KEY, **JIM)
    assert (role(again), again.header("duplicate-request")) == ("led", "true")
    assert ids_of(sandbox).count(KEY[1]) == 2
    assert times_run(sandbox) == 4


def test_when_only_open_outcomes_are_left_new_writes_are_refused_and_repeats_are_not(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup={"enabled": True, "max_bytes": "2KiB"})
    sandbox.faults.add(Fault(Kind.RESET, IMPORT, When.AFTER, count=3))
    lost = [caller.json(IMPORT, ("Request-ID", f"lost-{number}"), **JIM).status for number in range(3)]
    refused = caller.json(IMPORT, KEY, **JIM)
    assert lost == [502] * 3
    assert (refused.status, refused.error, refused.header("retry-after")) == (503, 503, "5")
    assert refused.error_text == "gateway: no room to remember another call; nothing was sent"
    assert KEY[1] not in ids_of(sandbox)
    assert caller.json("profiles/get", db_id=1, email=JIM["email"]).error == 0
    assert [role(caller.json(IMPORT, ("Request-ID", f"lost-{number}"), **JIM)) for number in range(3)] == [
        "led"
    ] * 3
    assert times_run(sandbox) == 3
    assert role(caller.json(IMPORT, KEY, **JIM)) == "led", "answers make room"
