"""Replies under gzip: the caller sees no difference, and a bomb is an error as documented."""

import json

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import Caller
from tests.e2e.conftest import GatewayWith
from tests.e2e.flying import IMPORT, JIM

TRANSPORTS = pytest.mark.parametrize("transport", ["builtin", "httpx"])


def compressing(gateway_with: GatewayWith, transport: str = "builtin") -> Caller:
    return gateway_with(upstream={"compression": "gzip", "transport": transport})


@TRANSPORTS
@pytest.mark.parametrize("many", [1, 400], ids=["short", "long"])
def test_the_caller_gets_the_same_bytes(
    gateway_with: GatewayWith, caller: Caller, sandbox: Sandbox, transport: str, many: int
) -> None:
    items = json.dumps({"db_id": 1, "data": [{"email": f"p{number}@example.com"} for number in range(many)]})
    method = "profiles/import_batch" if many > 1 else "databases/get"
    body = items if many > 1 else '{"id": 1}'
    plain = caller.call(method, body)
    sandbox.reset()
    packed = compressing(gateway_with, transport).call(method, body)
    assert (packed.status, packed.body) == (plain.status, plain.body)
    (call,) = sandbox.calls.of(method)
    assert call.incoming.header("accept-encoding") == "gzip"
    assert call.incoming.header("content-encoding") is None
    assert packed.header("content-encoding") is None


def test_nothing_is_asked_for_unless_the_setting_says_so(caller: Caller, sandbox: Sandbox) -> None:
    caller.json("databases/get", id=1)
    (call,) = sandbox.calls.of("databases/get")
    assert call.incoming.header("accept-encoding") == "identity"


@TRANSPORTS
def test_a_bomb_is_an_error_of_the_platforms_and_the_next_call_goes_on(
    gateway_with: GatewayWith, sandbox: Sandbox, transport: str
) -> None:
    caller = compressing(gateway_with, transport)
    sandbox.faults.add(Fault(Kind.BOMB, "databases/get"))
    reply = caller.json("databases/get", id=1)
    assert (reply.status, reply.error) == (502, 502)
    assert "larger than 67108864 bytes" in reply.error_text
    assert reply.header("proxy-status") == "gateway; error=http_protocol_error"
    assert caller.json("databases/get", id=1).error == 0


def test_a_bomb_that_nobody_asked_for_is_one_as_well(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.BOMB, "databases/get"))
    assert caller.json("databases/get", id=1).status == 502


def test_a_write_that_a_bomb_answers_has_an_unknown_outcome(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.BOMB, IMPORT))
    reply = compressing(gateway_with).json(IMPORT, **JIM)
    assert reply.status == 502
    assert "the outcome is unknown" in reply.error_text
