"""A write that was sent and not answered: sent again only as the same call, or said to be unknown."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import Token, sample_tokens
from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.conftest import TOKEN, GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, JIM, JIM_XML, at_once, ids_of, role, times_run
from tests.e2e.scraping import counting, scrape_used
from tests.e2e.waiting import until

AGAIN = {"attempts": 3, "backoff": "1ms"}
SAFE = "; the outcome is unknown, repeating is safe with the same Request-ID"
CHECK_FIRST = (
    "gateway: the outcome of this call is unknown, and it cannot be repeated safely any more: "
    "check first, then send it with a new Request-ID"
)


@pytest.fixture
def caller(gateway_with: GatewayWith) -> Caller:
    """Retries are off: what was lost is told."""
    return gateway_with(dedup=DEDUP)


def lost(caller: Caller, sandbox: Sandbox) -> str:
    """The id of a write that ran, and whose answer was lost."""
    sandbox.faults.add(Fault(Kind.RESET, IMPORT, When.AFTER))
    reply = caller.json(IMPORT, **JIM)
    return assert_unknown(reply)


def assert_unknown(reply: Reply) -> str:
    assert reply.error_text.endswith(SAFE), reply
    assert reply.status in (502, 504)
    assert reply.header("gateway-flight") in ("led", "joined")
    return reply.header("request-id") or ""


def test_five_callers_told_unknown_and_five_repeats_are_one_execution(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, When.AFTER))
    with counting(caller) as changes:
        with at_once(caller, sandbox, [partial(caller.json, IMPORT, **JIM)] * 5) as replies:
            sandbox.faults.end_stalls()
            (request_id,) = {assert_unknown(reply.result(PATIENCE)) for reply in replies}
        repeats = [caller.json(IMPORT, **JIM), caller.xml(IMPORT, JIM_XML)]
        repeats += [caller.json(IMPORT, **JIM) for _ in range(3)]
    assert [role(reply) for reply in repeats] == ["led", *["replayed"] * 4]
    assert {reply.header("request-id") for reply in repeats} == {request_id}
    assert ids_of(sandbox) == [request_id] * 2
    assert times_run(sandbox) == 1
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {
        (IMPORT, "unknown"): 1,
        (IMPORT, "answered"): 1,
    }
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 2


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.HTML, Kind.GARBAGE, Kind.TOO_SHORT], ids=str)
def test_what_broke_after_it_ran_is_asked_for_again_and_the_caller_gets_the_real_answer(
    gateway_with: GatewayWith, sandbox: Sandbox, kind: Kind
) -> None:
    caller = gateway_with(dedup=DEDUP, upstream={"retries": AGAIN})
    sandbox.faults.add(Fault(kind, IMPORT, When.AFTER))
    with counting(caller) as changes:
        reply = caller.json(IMPORT, **JIM)
    assert role(reply) == "led"
    assert reply.header("duplicate-request") == "true"
    assert times_run(sandbox) == 1
    first, second = sandbox.calls.of(IMPORT)
    assert first.checksum == second.checksum, "the attempts differ on the wire"
    assert {first.request_id, second.request_id} == {reply.header("request-id")}
    assert changes.of("gateway_platform_duplicates_total", "api_method") == {(IMPORT,): 1}
    assert changes.of("gateway_retries_total", "api_method", "reason") == {(IMPORT, "broken"): 1}


def test_a_timeout_is_not_sent_again_by_the_same_call_but_by_the_next_one(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP, upstream={"retries": AGAIN, "timeouts": {"first_byte": "1s"}})
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, When.AFTER))
    request_id = assert_unknown(caller.json(IMPORT, **JIM))
    assert len(ids_of(sandbox)) == 1
    sandbox.faults.release()
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert ids_of(sandbox) == [request_id] * 2
    assert times_run(sandbox) == 1


def test_when_time_is_over_all_who_wait_are_told_under_which_id_to_ask_again(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP, upstream={"timeouts": {"total": "2s"}})
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, When.AFTER))
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: caller.json(IMPORT, **JIM), range(4)))
    assert {reply.status for reply in replies} == {504}
    (request_id,) = {assert_unknown(reply) for reply in replies}
    sandbox.faults.release()
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(4)] == ["led", *["replayed"] * 3]
    assert ids_of(sandbox) == [request_id] * 2
    assert times_run(sandbox) == 1


@pytest.mark.parametrize("header", ["Request-ID", "Idempotency-Key"])
def test_repeated_under_the_id_that_it_was_told_it_is_the_same_flight(
    caller: Caller, sandbox: Sandbox, header: str
) -> None:
    request_id = lost(caller, sandbox)
    assert role(caller.json(IMPORT, (header, request_id), **JIM)) == "led"
    assert ids_of(sandbox) == [request_id] * 2
    assert times_run(sandbox) == 1
    assert role(caller.json(IMPORT, **JIM)) == "led", "it took what was owed"
    assert ids_of(sandbox)[2] != request_id


def test_an_answer_is_given_again_to_who_asks_for_it_by_its_id(caller: Caller, sandbox: Sandbox) -> None:
    """Two were told "unknown"; one repeats without the id and one, twice, with it."""
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, When.AFTER))
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, **JIM)] * 2) as replies:
        sandbox.faults.end_stalls()
        (request_id,) = {assert_unknown(reply.result(PATIENCE)) for reply in replies}
    assert role(caller.json(IMPORT, **JIM)) == "led"
    named = [caller.json(IMPORT, ("Request-ID", request_id), **JIM) for _ in range(2)]
    assert [role(reply) for reply in named] == ["replayed", "led"]
    assert {reply.header("request-id") for reply in named} == {request_id}
    assert times_run(sandbox) == 1
    assert role(caller.json(IMPORT, **JIM)) == "led", "a call without a key is not bound by another's"
    assert times_run(sandbox) == 2


class Outage:
    """A platform of the test's own, which can go away and come back at the same place."""

    def __init__(self, stack: ExitStack) -> None:
        self.sandbox = Sandbox(sample_tokens(TOKEN))
        self.base_url = stack.enter_context(running_in_thread(self.sandbox))
        self._stack = stack

    def go_away(self) -> None:
        self._stack.close()

    def come_back(self) -> None:
        port = urlsplit(self.base_url).port
        assert port
        assert self._stack.enter_context(running_in_thread(self.sandbox, port=port)) == self.base_url


@pytest.fixture
def platform_with_outages() -> Iterator[Outage]:
    with ExitStack() as stack:
        yield Outage(stack)


def test_reset_then_refused_then_repeated_it_is_still_the_first_request_id(
    gateway_with: GatewayWith, platform_with_outages: Outage
) -> None:
    sandbox = platform_with_outages.sandbox
    caller = gateway_with(dedup=DEDUP, upstream={"base_url": platform_with_outages.base_url})
    request_id = lost(caller, sandbox)
    platform_with_outages.go_away()
    with counting(caller) as changes:
        assert [assert_unknown(caller.json(IMPORT, **JIM)) for _ in range(2)] == [request_id] * 2
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {(IMPORT, "unknown"): 2}
    platform_with_outages.come_back()
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert ids_of(sandbox) == [request_id] * 2
    assert times_run(sandbox) == 1


def test_a_call_that_was_never_sent_leaves_nothing_behind(
    gateway_with: GatewayWith, platform_with_outages: Outage
) -> None:
    sandbox = platform_with_outages.sandbox
    platform_with_outages.go_away()
    caller = gateway_with(dedup=DEDUP, upstream={"base_url": platform_with_outages.base_url})
    refused = caller.json(IMPORT, **JIM)
    assert refused.error_text.endswith("; nothing was sent, repeating is safe")
    platform_with_outages.come_back()
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert ids_of(sandbox) != [refused.header("request-id")]


def test_an_open_breaker_says_of_a_repeat_that_its_first_outcome_is_unknown(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP, upstream={"breaker": {"min_calls": 1, "open_for": "1m"}})
    request_id = lost(caller, sandbox)
    repeated = caller.json(IMPORT, **JIM)
    assert (repeated.status, repeated.header("request-id")) == (503, request_id)
    assert repeated.error_text.endswith("; nothing was sent this time" + SAFE)
    assert int(repeated.header("retry-after") or "") > 0
    assert ids_of(sandbox) == [request_id]


def test_after_a_rotation_of_the_token_it_is_not_sent_again_and_said_so(
    gateway_with: GatewayWith, sandbox: Sandbox, tmp_path: Path
) -> None:
    second = "second-token-of-the-gateway"
    sandbox.tokens.add(Token("second", second))
    (tmp_path / "token").write_text(TOKEN)
    caller = gateway_with(dedup=DEDUP, token={"file": str(tmp_path / "token")})
    request_id = lost(caller, sandbox)
    (tmp_path / "token").write_text(second)
    labels = {"account": "default", "token": "default"}
    until(lambda: scrape_used(caller).value("gateway_token_rotations_total", **labels) == 1, "it is noticed")
    assert_refused(caller, sandbox, request_id)
    anew = caller.json(IMPORT, ("Request-ID", "checked"), **JIM)
    assert (role(anew), sandbox.calls.of(IMPORT)[-1].token) == ("led", "second")


def test_where_the_platform_knows_no_request_id_a_sent_write_is_never_sent_again(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup=DEDUP, upstream={"request_id_header": None, "retries": AGAIN})
    sandbox.faults.add(Fault(Kind.RESET, IMPORT, When.AFTER))
    reply = caller.json(IMPORT, **JIM)
    assert "check before repeating" in reply.error_text
    assert_refused(caller, sandbox, reply.header("request-id") or "")
    assert role(caller.json(IMPORT, ("Request-ID", "checked"), **JIM)) == "led"


def assert_refused(caller: Caller, sandbox: Sandbox, request_id: str) -> None:
    """The repeat of the write `request_id` is not sent, however it is asked for."""
    sent = ids_of(sandbox)
    for call in _every_way(caller, request_id):
        refused = call()
        assert (refused.status, refused.error, refused.error_text) == (502, 502, CHECK_FIRST)
        assert refused.header("request-id") == request_id
        assert refused.header("gateway-flight") is None
        assert refused.header("cache-status") == "gateway; detail=outcome-unknown"
    assert ids_of(sandbox) == sent
    assert times_run(sandbox) == 1


def _every_way(caller: Caller, request_id: str) -> list[Callable[[], Reply]]:
    return [
        partial(caller.json, IMPORT, **JIM),
        partial(caller.xml, IMPORT, JIM_XML),
        partial(caller.json, IMPORT, ("Request-ID", request_id), **JIM),
    ]
