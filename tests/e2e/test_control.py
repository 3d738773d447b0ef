"""What an operator may have the gateway do over its socket: purge, explain. (Reload has its own tests.)"""

import json
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import XML, Caller, Reply
from tests.e2e.conftest import TOKEN, GatewayWith
from tests.e2e.scraping import counting, scrape_used

CACHE: dict[str, Any] = {"cache": {"enabled": True, "default_ttl": "5m"}}


@pytest.fixture
def keeper(gateway_with: GatewayWith) -> Caller:
    """A gateway that has kept the replies of four reads."""
    caller = gateway_with(**CACHE, methods={"profiles/get": {"tags": ["db:{db_id}"]}})
    caller.json("databases/list")
    for number in (1, 2):
        caller.json("databases/get", id=number)
    caller.json("profiles/get", db_id=1, matching="email", email="p1@example.com")
    return caller


def purge(caller: Caller, **wish: object) -> Reply:
    return caller.send("POST", "/-/cache/purge", json.dumps(wish))


def is_kept(caller: Caller, api_method: str, **params: object) -> bool:
    return (caller.json(api_method, **params).header("cache-status") or "").startswith("gateway; hit")


def kept(caller: Caller) -> list[bool]:
    return [
        is_kept(caller, "databases/list"),
        is_kept(caller, "databases/get", id=1),
        is_kept(caller, "databases/get", id=2),
    ]


def test_a_purge_of_all_takes_every_reply_and_tells_how_many(keeper: Caller) -> None:
    entries = scrape_used(keeper).value("gateway_cache_entries")
    assert entries >= 3
    reply = purge(keeper, all=True)
    assert (reply.status, reply.json()) == (200, {"error": 0, "purged": entries})
    assert scrape_used(keeper).value("gateway_cache_entries") == 0
    assert kept(keeper) == [False, False, False]


def test_a_purge_of_a_method_takes_its_replies_only(keeper: Caller) -> None:
    assert purge(keeper, method="databases/get").json() == {"error": 0, "purged": 2}
    assert kept(keeper) == [True, False, False]


def test_a_purge_of_a_tag_takes_what_carries_it(keeper: Caller) -> None:
    assert purge(keeper, tag="db:2").json()["purged"] == 1
    assert kept(keeper) == [True, True, False]


def test_a_purge_of_a_family_takes_all_its_reads(keeper: Caller) -> None:
    assert purge(keeper, tag="databases").json()["purged"] == 3
    assert kept(keeper) == [False, False, False]


def test_a_purge_that_finds_nothing_says_so(keeper: Caller) -> None:
    assert purge(keeper, tag="segment:7").json() == {"error": 0, "purged": 0}
    assert kept(keeper) == [True, True, True]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="no wish"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b'{"all": false}', id="not all"),
        pytest.param(b'{"all": 1}', id="a number"),
        pytest.param(b'{"all": true, "tag": "db:7"}', id="two wishes"),
        pytest.param(b'{"everything": true}', id="an unknown wish"),
        pytest.param(b'{"method": "profiles/gett"}', id="an unknown method"),
        pytest.param(b'{"tag": "db:{id}"}', id="a template"),
        pytest.param(b'{"tag": "db 7"}', id="no tag"),
        pytest.param(b"[" * 5000, id="very deep"),
    ],
)
def test_a_purge_of_anything_else_is_refused_and_takes_nothing(keeper: Caller, body: bytes) -> None:
    reply = keeper.send("POST", "/-/cache/purge", body)
    assert (reply.status, reply.error) == (400, 400)
    assert reply.error_text.startswith("gateway: ")
    assert kept(keeper) == [True, True, True]


def test_a_wish_that_is_too_long_is_refused(caller: Caller) -> None:
    assert caller.send("POST", "/-/cache/purge", b" " * 20_000).status == 413


@pytest.mark.parametrize("path", ["/-/cache/purge", "/-/reload", "/-/explain/profiles/get"])
def test_actions_are_asked_for_with_post(caller: Caller, path: str) -> None:
    reply = caller.get(path)
    assert (reply.status, reply.error, reply.header("allow")) == (405, 400, "POST")


@pytest.mark.parametrize("path", ["/-/cache/purge", "/-/reload", "/-/explain/profiles/get"])
def test_a_browser_page_gets_no_action(caller: Caller, path: str) -> None:
    reply = caller.send("POST", path, b'{"all": true}', ("Origin", "http://evil.example"))
    assert (reply.status, reply.error) == (403, 403)


def explain(caller: Caller, call: str, body: str, *headers: tuple[str, str]) -> Any:
    reply = caller.send(
        "POST", f"/-/explain/{call}", body, *(headers or (("Content-Type", "application/json"),))
    )
    assert reply.status == 200, reply
    return reply.json()


def test_explain_tells_what_the_cache_would_do_with_a_read_and_sends_nothing(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    rule = {"ttl": "7s", "stale_if_error": "1m", "negative_ttl": {"404": "2s"}}
    caller = gateway_with(cache={"enabled": True}, methods={"databases/get": rule})
    report = explain(caller, "databases/get", '{"id": 7}')
    assert (report["method"], report["rule"]["overridden"], report["flight"]) == ("databases/get", True, None)
    cache = report["cache"]
    assert (cache["looked_up"], cache["stored"], cache["joins_identical"]) == (True, True, True)
    assert (cache["ttl"], cache["stale_while_revalidate"], cache["stale_if_error"]) == (7, 0, 60)
    assert cache["negative_ttl"] == {"404": 2}
    assert cache["key"]["fingerprint"] == report["fingerprint"]
    assert {"*", "databases"} <= set(report["tags"])
    assert not list(sandbox.calls)


def test_explain_tells_how_a_write_would_fly(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(
        dedup={"enabled": True, "key_window": "1h", "unknown_window": "2h"},
        methods={"profiles/import": {"window": "2m"}},
    )
    report = explain(caller, "profiles/import", '{"db_id": 7}')
    assert report["cache"] is None
    assert report["flight"] == {
        "recognised": True,
        "identity": "fingerprint",
        "request_id": "<new for each call, unless the caller sends one>",
        "repeats": "flight",
        "replay": "owed",
        "windows": {"owed": 120, "key": 3600, "unknown": 7200},
        "resent": True,
    }
    keyed = explain(
        caller,
        "profiles/import",
        "<xml><db_id>7</db_id></xml>",
        ("Content-Type", XML),
        ("Idempotency-Key", '"order-7"'),
    )
    assert keyed["fingerprint"] == report["fingerprint"]
    assert (keyed["flight"]["identity"], keyed["flight"]["replay"]) == ("key", "always")
    assert keyed["flight"]["request_id"] == keyed["headers"]["Request-ID"] == "order-7"
    assert not list(sandbox.calls)


def test_the_id_that_explain_derives_from_the_content_is_the_one_that_is_sent(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(dedup={"enabled": True})
    body = '{"db_id": 1, "data": {"email": "jim@example.com"}}'
    told = explain(caller, "profiles/add", body)
    assert caller.call("profiles/add", body).header("request-id") == told["flight"]["request_id"]
    assert told["flight"]["request_id"] == told["fingerprint"]


def test_explain_shows_no_token(caller: Caller) -> None:
    """Neither the gateway's own nor, by mistake in another field, the same one from a caller."""
    with counting(caller) as changes:
        report = explain(caller, "profiles/get", json.dumps({"token": "theirs", "email": TOKEN}))
    assert json.loads(report["body"]) == {"token": "***", "email": "***"}
    assert changes.of("gateway_redactions_total", "sink") == {("explain",): 1}


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        pytest.param("databases%2Fget", "{}", 400, id="an encoded slash"),
        pytest.param("", "{}", 400, id="no method"),
        pytest.param("databases/get", "{", 400, id="no JSON"),
        pytest.param("databases/list", "{}", 403, id="a denied method"),
        pytest.param("brand/new", "{}", 501, id="an unknown method"),
    ],
)
def test_explain_refuses_what_a_call_would_be_refused_for(
    gateway_with: GatewayWith, call: str, body: str, status: int
) -> None:
    caller = gateway_with(method_policy={"unknown": "reject", "deny": ["databases/list"]})
    headers = ("Content-Type", "application/json")
    explained = caller.send("POST", f"/-/explain/{call}", body, headers)
    called = caller.call(call, body)
    assert explained.status == called.status == status
    assert explained.json() == called.json()
    assert explained.header("proxy-status") == called.header("proxy-status")
