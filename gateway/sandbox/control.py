"""The sandbox's own endpoints under `/-/`: faults to come, calls received, and a reset.

They are for tests in any language; there is no access control, which is one reason to stay on loopback.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from gateway.sandbox import jsonform
from gateway.sandbox.calls import Call
from gateway.sandbox.faults import ANY, Fault, Kind, When
from gateway.sandbox.replies import Answer
from gateway.sandbox.sandbox import Sandbox

PREFIX = "/-/"
_FIELDS = {"kind", "api_method", "when", "count", "ms", "status", "code"}


def control(sandbox: Sandbox, http_method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
    """Answers `http_method path`; 404 for what does not exist, 400 with the reason for what is not
    understood.
    """
    endpoints: Mapping[tuple[str, str], Callable[[], object]] = {
        ("POST", "/-/faults"): lambda: _add_faults(sandbox, body),
        ("GET", "/-/faults"): lambda: [asdict(fault) for fault in sandbox.faults],
        ("POST", "/-/release"): lambda: sandbox.faults.release(query.get("method", ANY)),
        ("GET", "/-/calls"): lambda: _calls(sandbox, query.get("method")),
        ("POST", "/-/reset"): sandbox.reset,
    }
    endpoint = endpoints.get((http_method, path))
    if endpoint is None:
        return _json(404, {"error": f"there is no {http_method} {path}"})
    try:
        return _json(200, endpoint())
    except (ValueError, TypeError) as error:
        return _json(400, {"error": str(error)})


def _add_faults(sandbox: Sandbox, body: bytes) -> object:
    sent = json.loads(body)
    faults = [_fault(item) for item in (sent if isinstance(sent, list) else [sent])]
    sandbox.faults.add(*faults)
    return [asdict(fault) for fault in sandbox.faults]


def _fault(item: object) -> Fault:
    if not isinstance(item, dict) or "kind" not in item:
        raise ValueError(f"a fault is an object with a kind: one of {', '.join(Kind)}")
    if unknown := item.keys() - _FIELDS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    for name in ("count", "ms", "status", "code"):
        if item.get(name) is not None and type(item[name]) is not int:
            raise ValueError(f"{name} is not an integer")
    when = When(item["when"]) if item.get("when") else None
    return Fault(**{**item, "kind": Kind(item["kind"]), "when": when})


def _calls(sandbox: Sandbox, api_method: str | None) -> object:
    calls = sandbox.calls if api_method is None else sandbox.calls.of(api_method)
    return [_shown(call) for call in calls]


def _shown(call: Call) -> dict[str, object]:
    """A call without the values of tokens: what came where is told by `token` and `token_places`."""
    incoming = call.incoming
    return {
        "sequence": call.sequence,
        "api_method": call.api_method,
        "fate": call.fate,
        "code": call.code,
        "request_id": call.request_id,
        "checksum": call.checksum,
        "token": call.token,
        "token_places": call.token_places,
        "params": call.params,
        "query": [pair for pair in incoming.query if pair[0] != "token"],
        "headers": [pair if pair[0] != "authorization" else (pair[0], "***") for pair in incoming.headers],
    }


def _json(status: int, value: object) -> Answer:
    body = jsonform.shown(value).encode(errors="replace") + b"\n"
    return Answer(status, (("content-type", "application/json; charset=utf-8"),), body)
