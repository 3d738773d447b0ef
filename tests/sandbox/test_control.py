"""The endpoints under /-/, as a test in any language would use them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.calls import Incoming
from gateway.sandbox.control import control
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox


def post(sandbox: Sandbox, path: str, sent: Any = None) -> tuple[int, Any]:
    answer = control(sandbox, "POST", path, {}, b"" if sent is None else json.dumps(sent).encode())
    return answer.status, json.loads(answer.body)


def test_a_fault_is_added(sandbox: Sandbox) -> None:
    sent = {"kind": "slow", "api_method": "profiles/add", "when": "after", "count": 2, "ms": 5}
    status, shown = post(sandbox, "/-/faults", sent)
    assert (status, len(shown)) == (200, 1)
    assert list(sandbox.faults) == [Fault(Kind.SLOW, "profiles/add", When.AFTER, count=2, ms=5)]


def test_several_faults_at_once(sandbox: Sandbox) -> None:
    post(sandbox, "/-/faults", [{"kind": "reset"}, {"kind": "error", "code": 402, "count": None}])
    assert [(fault.kind, fault.count) for fault in sandbox.faults] == [(Kind.RESET, 1), (Kind.ERROR, None)]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        pytest.param({"kind": "explode"}, "explode", id="an unknown kind"),
        pytest.param({"kind": "reset", "times": 3}, "unknown: times", id="an unknown field"),
        pytest.param({"kind": "slow", "ms": "5"}, "ms is not an integer", id="text for a number"),
        pytest.param({"kind": "error", "when": "after"}, "before the call only", id="a wrong moment"),
        pytest.param({"kind": "error", "code": 7}, "7 is not a valid Code", id="a code that does not exist"),
        pytest.param({"api_method": "x"}, "a fault is an object with a kind", id="no kind"),
        pytest.param("reset", "a fault is an object with a kind", id="no object"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_reason(sandbox: Sandbox, sent: Any, reason: str) -> None:
    status, shown = post(sandbox, "/-/faults", sent)
    assert status == 400
    assert reason in shown["error"]
    assert list(sandbox.faults) == []


def test_one_bad_fault_of_several_adds_none(sandbox: Sandbox) -> None:
    assert post(sandbox, "/-/faults", [{"kind": "reset"}, {"kind": "explode"}])[0] == 400
    assert list(sandbox.faults) == []


def test_calls_are_shown_without_tokens(sandbox: Sandbox, ask: Callable[..., Any]) -> None:
    ask("databases/get", id=1)
    ask("databases/list")
    answer = control(sandbox, "GET", "/-/calls", {"method": "databases/get"}, b"")
    (call,) = json.loads(answer.body)
    assert (call["api_method"], call["fate"], call["params"]) == ("databases/get", "executed", {"id": 1})
    assert call["headers"] == [["content-type", "application/json"]]
    assert '"sandbox"' not in answer.body.decode()


@pytest.mark.anyio
@pytest.mark.parametrize("number", ["1.10", "1e2", "-0.0", "12345678901234567890.123456789", "7"])
async def test_numbers_of_calls_are_shown_as_they_came(sandbox: Sandbox, number: str) -> None:
    body = f'{{"token": "sandbox", "id": 1, "data": {{"sums": [{number}]}}}}'.encode()
    headers = (("content-type", "application/json"),)
    await sandbox.call(Incoming("databases/get", b"/", (), headers, body, "http://localhost"))
    shown = control(sandbox, "GET", "/-/calls", {}, b"").body.decode()
    assert f'"sums": [\n     {number}\n    ]' in shown
    assert json.loads(shown)[0]["params"]["data"] == {"sums": [json.loads(number)]}


def test_faults_left_are_shown(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.RESET, count=None))
    (shown,) = json.loads(control(sandbox, "GET", "/-/faults", {}, b"").body)
    assert (shown["kind"], shown["api_method"], shown["count"]) == ("reset", "*", None)


def test_a_reset_forgets_faults_and_calls(sandbox: Sandbox, ask: Callable[..., Any]) -> None:
    ask("databases/get", id=1)
    sandbox.faults.add(Fault(Kind.RESET))
    assert post(sandbox, "/-/reset")[0] == 200
    assert (list(sandbox.faults), len(sandbox.calls)) == ([], 0)


def test_stalled_calls_are_released(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL))
    strike = sandbox.faults.take("x")
    assert strike is not None
    post(sandbox, "/-/release")
    assert strike.released.result(0) is True


def test_stalled_calls_of_one_method_are_released(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL))
    strike = sandbox.faults.take("x")
    assert strike is not None
    for name, done in {"y": False, "x": True}.items():
        assert control(sandbox, "POST", "/-/release", {"method": name}, b"").status == 200
        assert strike.released.done() is done


@pytest.mark.parametrize(
    ("http_method", "path"), [("GET", "/-/nothing"), ("GET", "/-/reset"), ("POST", "/-/calls")]
)
def test_what_does_not_exist(sandbox: Sandbox, http_method: str, path: str) -> None:
    assert control(sandbox, http_method, path, {}, b"").status == 404
