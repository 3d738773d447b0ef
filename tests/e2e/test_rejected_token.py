"""The platform's 401: the token's source is read again, and the call is sent once more if there is another
token. The sources here are variables, which nobody watches: what is new is found because of the 401 alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.sandbox.calls import Fate
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token, sample_tokens
from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, JIM, JIM_XML, ids_of, role, times_run
from tests.e2e.scraping import counting
from tests.e2e.test_downloads import exported

SECOND = "second-token-of-the-gateway"
READ = "databases/get"
DEFAULT = {("default", "default"): 1}


@dataclass
class Rotation:
    """A gateway that holds the first token while its source has the second one already."""

    caller: Caller
    sandbox: Sandbox
    environ: dict[str, str]

    def revoke(self) -> None:
        self.sandbox.tokens.revoke(TOKEN)


Rotating = Callable[..., Rotation]


@pytest.fixture
def rotating(gateway_with: GatewayWith, sandbox: Sandbox) -> Iterator[Rotating]:
    def make(**sections: Any) -> Rotation:
        environ = dict(ENVIRON)
        caller = gateway_with(environ, **sections)
        sandbox.tokens.add(Token("second", SECOND))
        environ["TOKEN"] = SECOND
        return Rotation(caller, sandbox, environ)

    yield make
    sandbox.tokens.revoke(SECOND)
    for token in sample_tokens(TOKEN):
        sandbox.tokens.add(token)


@pytest.mark.parametrize("placement", ["body", "header", "query"])
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda caller: caller.json(READ, id=1), id="read"),
        pytest.param(lambda caller: caller.json(IMPORT, **JIM), id="write"),
        pytest.param(lambda caller: caller.xml(IMPORT, JIM_XML), id="XML"),
    ],
)
def test_the_caller_gets_the_answer_to_the_call_under_the_new_token(
    rotating: Rotating, ask: Callable[[Caller], Reply], placement: str
) -> None:
    rotation = rotating(token_placement=placement, dedup=DEDUP)
    rotation.revoke()
    with counting(rotation.caller) as changes:
        assert ask(rotation.caller).error == 0
    assert [call.code for call in rotation.sandbox.calls] == [401, 0]
    assert changes.of("gateway_token_rejected_total", "account", "token") == DEFAULT
    assert changes.of("gateway_token_rotations_total", "account", "token") == DEFAULT
    assert list(changes.of("gateway_retries_total", "api_method", "reason").values()) == [1]
    assert list(changes.requests.values()) == [1]


def test_a_write_is_repeated_under_its_id_and_runs_once(rotating: Rotating) -> None:
    rotation = rotating(dedup=DEDUP)
    rotation.revoke()
    reply = rotation.caller.json(IMPORT, ("Request-ID", "mine"), **JIM)
    assert (role(reply), reply.header("request-id")) == ("led", "mine")
    assert [call.request_id for call in rotation.sandbox.calls] == ["mine", "mine"]
    assert times_run(rotation.sandbox) == 1
    assert role(rotation.caller.json(IMPORT, ("Request-ID", "mine"), **JIM)) == "replayed"


def test_once_replaced_the_old_token_is_not_tried_again(rotating: Rotating) -> None:
    rotation = rotating()
    rotation.revoke()
    for _ in range(3):
        assert rotation.caller.json(READ, id=1).error == 0
    assert [call.code for call in rotation.sandbox.calls] == [401, 0, 0, 0]


def test_a_call_is_repeated_one_time_only(rotating: Rotating) -> None:
    rotation = rotating(dedup=DEDUP)
    rotation.revoke()
    rotation.sandbox.tokens.revoke(SECOND)
    assert rotation.caller.json(READ, id=1).error == 401
    assert rotation.caller.json(IMPORT, **JIM).error == 401
    assert len(list(rotation.sandbox.calls)) == 2 + 1


def test_without_another_token_the_401_is_handed_out(rotating: Rotating) -> None:
    rotation = rotating()
    rotation.environ["TOKEN"] = TOKEN
    rotation.revoke()
    with counting(rotation.caller) as changes:
        assert rotation.caller.json(READ, id=1).error == 401
    assert [call.code for call in rotation.sandbox.calls] == [401]
    assert changes.of("gateway_retries_total", "api_method", "reason") == {}


def test_a_source_that_has_lost_its_token_leaves_the_401_as_it_is(rotating: Rotating) -> None:
    rotation = rotating()
    del rotation.environ["TOKEN"]
    rotation.revoke()
    assert rotation.caller.json(READ, id=1).error == 401
    assert rotation.caller.get("/readyz").status == 200


def test_a_write_that_was_lost_before_the_401_is_not_sent_under_another_token(rotating: Rotating) -> None:
    """The platform would not recognise it: it knows a repeat by id and token together."""
    rotation = rotating(dedup=DEDUP, upstream={"retries": {"attempts": 2, "backoff": "1ms"}})
    sandbox = rotation.sandbox
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(rotation.caller.json, IMPORT, **JIM)
        sandbox.calls.arrived(1).result(PATIENCE)
        rotation.revoke()
        sandbox.faults.end_stalls()
        reply = waiting.result(PATIENCE)
    assert (reply.status, "the outcome is unknown" in reply.error_text) == (502, True)
    assert [(call.token, call.code) for call in sandbox.calls] == [("full-1", None), (None, 401)]


def test_a_write_that_is_lost_under_the_new_token_is_known_by_it(rotating: Rotating) -> None:
    rotation = rotating(dedup=DEDUP)
    sandbox = rotation.sandbox
    rotation.revoke()
    sandbox.faults.add(Fault(Kind.RESET, IMPORT, When.AFTER))
    lost = rotation.caller.json(IMPORT, **JIM)
    assert (lost.status, "the outcome is unknown" in lost.error_text) == (502, True)
    assert role(rotation.caller.json(IMPORT, **JIM)) == "led"
    assert [(call.token, call.fate) for call in sandbox.calls.of(IMPORT)] == [
        (None, Fate.REFUSED),
        ("second", Fate.EXECUTED),
        ("second", Fate.REPLAYED),
    ]
    assert len(set(ids_of(sandbox))) == 1


def test_a_reply_fetched_under_the_new_token_is_kept_for_it(rotating: Rotating) -> None:
    rotation = rotating(cache={"enabled": True}, methods={READ: {"ttl": "1m"}})
    rotation.revoke()
    statuses = [rotation.caller.json(READ, id=1).header("cache-status") or "" for _ in range(2)]
    assert statuses[0] == "gateway; fwd=miss; stored"
    assert statuses[1].startswith("gateway; hit")


def test_a_named_token_is_read_again_from_its_own_source(rotating: Rotating) -> None:
    rotation = rotating(tokens={"reader": {"env": "READER_TOKEN"}}, methods={READ: {"token": "reader"}})
    rotation.sandbox.tokens.revoke("sandbox-reader")
    rotation.environ["READER_TOKEN"] = SECOND
    with counting(rotation.caller) as changes:
        assert rotation.caller.json(READ, id=1).error == 0
    assert changes.of("gateway_token_rotations_total", "account", "token") == {("default", "reader"): 1}


def test_a_download_is_fetched_under_the_new_token(rotating: Rotating) -> None:
    rotation = rotating()
    path = exported(rotation.caller)
    rotation.revoke()
    with counting(rotation.caller) as changes:
        assert rotation.caller.get(path).status == 200
    assert changes.of("gateway_token_rotations_total", "account", "token") == DEFAULT


def test_a_download_without_another_token_gets_the_platforms_refusal(rotating: Rotating) -> None:
    rotation = rotating()
    path = exported(rotation.caller)
    rotation.revoke()
    rotation.environ["TOKEN"] = TOKEN
    assert rotation.caller.get(path).status == 401
