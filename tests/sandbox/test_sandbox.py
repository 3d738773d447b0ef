"""A call from end to end, without a socket: every code, the shape of replies, and what is remembered."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.calls import Fate, Incoming
from gateway.sandbox.replies import Answer
from gateway.sandbox.sandbox import Options, Sandbox

Ask = Callable[..., Any]


def test_success_is_code_0(ask: Ask) -> None:
    reply = ask("databases/get", id=1)
    assert (reply["error"], reply["error_text"]) == (0, "Successful operation")
    assert reply["data"]["name"] == "Customers"


@pytest.mark.parametrize(
    ("code", "api_method", "params"),
    [
        pytest.param(400, "profiles/get", {"db_id": 1}, id="400 no email to match"),
        pytest.param(401, "profiles/get", {"token": "nobody"}, id="401 unknown token"),
        pytest.param(402, "profiles/add", {"db_id": 3, "data": {}}, id="402 the trial database is full"),
        pytest.param(
            403,
            "profiles/add",
            {"db_id": 1, "data": {}, "token": "sandbox-reader"},
            id="403 the role only reads",
        ),
        pytest.param(
            404, "profiles/get", {"db_id": 1, "email": "nobody@example.com"}, id="404 no such profile"
        ),
        pytest.param(404, "databases/get", {"id": 1, "token": "sandbox-partner"}, id="404 not in sight"),
        pytest.param(
            409, "profiles/add", {"db_id": 2, "data": {"email": "member1@example.com"}}, id="409 unique email"
        ),
        pytest.param(
            413,
            "profiles/import",
            {"db_id": 4, "resource_id": 1, "email": "a@example.com"},
            id="413 the database is not in the resource",
        ),
        pytest.param(435, "profiles/get", {"db_id": 1, "email": "twin@example.com"}, id="435 two profiles"),
        pytest.param(
            441,
            "profiles/update",
            {"db_id": 1, "email": "customer1@example.com", "data": {}, "token": "sandbox-partner"},
            id="441 a write to another group's object",
        ),
        pytest.param(
            450, "profiles/add", {"db_id": 1, "data": {"email": "nonsense"}}, id="450 not an address"
        ),
        pytest.param(
            500, "profiles/get", {"db_id": 1, "email": "broken@example.com"}, id="500 a damaged record"
        ),
        pytest.param(501, "profiles/no_such_method", {}, id="501 unknown method"),
    ],
)
def test_every_code_is_reached_by_an_ordinary_request(
    ask: Ask, code: int, api_method: str, params: dict[str, Any]
) -> None:
    assert ask(api_method, **params)["error"] == code


def _call(sandbox: Sandbox, **given: Any) -> Answer:
    chosen: dict[str, Any] = {
        "api_method": "databases/get",
        "query": (),
        "headers": (("content-type", "application/json"),),
        "body": b'{"token":"sandbox","id":1}',
        **given,
    }
    answer = asyncio.run(sandbox.call(Incoming(target=b"/", origin="http://x", **chosen)))
    assert isinstance(answer, Answer)
    return answer


def test_415_is_answered_for_another_content_type(sandbox: Sandbox) -> None:
    answer = _call(sandbox, headers=(("content-type", "text/html"),))
    assert (answer.status, json.loads(answer.body)["error"]) == (200, 415)


def test_a_platform_that_takes_json_only_may_still_answer_in_xml() -> None:
    sandbox = Sandbox(options=Options(takes_xml=False))
    xml = (("content-type", "application/xml"),)
    refused = _call(sandbox, headers=xml, body=b"<xml><token>sandbox</token><id>1</id></xml>")
    assert json.loads(refused.body)["error"] == 415
    assert _call(sandbox, query=(("format", "xml"),)).body.startswith(b"<xml><error>0</error>")


def test_an_xml_reply_with_a_name_that_xml_cannot_carry_is_an_internal_error(
    sandbox: Sandbox, ask: Ask
) -> None:
    subscription = {"resource_id": 1, "custom_fields": {"$topic": "news"}}
    data = {"email": "new@example.com", "subscriptions": [subscription]}
    assert ask("profiles/import", db_id=1, email="new@example.com", data=data)["error"] == 0
    body = b'{"token":"sandbox","db_id":1,"email":"new@example.com"}'
    answer = _call(sandbox, api_method="profiles/get", body=body, query=(("format", "xml"),))
    assert answer.body.startswith(b"<xml><error>500</error><error_text>Internal service error: ")


def test_a_broken_body_is_answered_in_the_format_of_the_address(sandbox: Sandbox) -> None:
    answer = _call(sandbox, body=b"{", query=(("format", "xml"),))
    assert answer.body.startswith(b"<xml><error>400</error>")
    assert dict(answer.headers)["content-type"] == "application/xml; charset=utf-8"


def test_an_unknown_format_is_refused_in_json(sandbox: Sandbox) -> None:
    answer = _call(sandbox, query=(("format", "yaml"),))
    assert json.loads(answer.body)["error"] == 400


def test_an_error_has_the_usual_root_where_success_has_another(sandbox: Sandbox) -> None:
    xml = (("format", "xml"),)
    body = b'{"token":"sandbox"}'
    refused = _call(sandbox, api_method="suppresses/add", body=body, query=xml)
    added = _call(sandbox, api_method="suppresses/add", body=b'{"token":"sandbox","name":"New"}', query=xml)
    assert refused.body.startswith(b"<xml><error>400</error>")
    assert added.body == (
        b"<result><error>0</error><error_text>Successful operation</error_text>"
        b"<data><saved_id>2</saved_id></data></result>"
    )


def test_error_codes_become_http_statuses_on_request() -> None:
    sandbox = Sandbox(options=Options(has_http_statuses=True))
    assert _call(sandbox, body=b'{"token":"sandbox","id":99}').status == 404
    assert _call(sandbox).status == 200


def test_the_same_seed_gives_the_same_people() -> None:
    first, second, other = (Sandbox(options=Options(seed=seed)).state.databases[1] for seed in (7, 7, 8))
    assert list(first.profiles) == list(second.profiles) != list(other.profiles)


def test_what_was_received_is_remembered_without_the_token(sandbox: Sandbox, ask: Ask) -> None:
    ask("databases/get", id=1)
    (call,) = sandbox.calls
    assert (call.api_method, call.fate, call.code) == ("databases/get", Fate.EXECUTED, 0)
    assert (call.params, call.token, call.token_places) == ({"id": 1}, "full-1", ("body",))


def test_a_call_that_was_not_run_says_so(sandbox: Sandbox, ask: Ask) -> None:
    ask("databases/get", token="nobody", id=1)
    (call,) = sandbox.calls
    assert (call.fate, call.code, call.token) == (Fate.REFUSED, 401, None)
    assert sandbox.calls.executed("databases/get") == ()


def test_a_revoked_token_is_unknown(sandbox: Sandbox, ask: Ask) -> None:
    sandbox.tokens.revoke("sandbox")
    assert ask("databases/get", id=1)["error"] == 401


def test_a_reset_brings_the_sample_data_back(sandbox: Sandbox, ask: Ask) -> None:
    ask("databases/wipe", id=1)
    sandbox.reset()
    assert ask("profiles/get", db_id=1, email="customer1@example.com")["error"] == 0
    assert len(sandbox.calls) == 1
