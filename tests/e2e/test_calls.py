"""Calls go in without a token and come back from the platform, in the format that the caller wants."""

import socket
import xml.etree.ElementTree as ET

import pytest

from gateway.sandbox.calls import Fate
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, XML, Caller, read_reply
from tests.e2e.conftest import TOKEN, GatewayWith, Platform
from tests.e2e.scraping import counting

READ = '{"db_id": 1, "email": "customer1@example.com"}'
READ_XML = "<xml><db_id>1</db_id><email>customer1@example.com</email></xml>"
WRITE_XML = "<xml><db_id>1</db_id><email>jim@example.com</email><data><_fname>Jim</_fname></data></xml>"


def test_a_json_call_without_a_token_is_run_by_the_platform(caller: Caller, sandbox: Sandbox) -> None:
    with counting(caller) as changes:
        reply = caller.json("profiles/import", db_id=1, email="jim@example.com", data={"_fname": "Jim"})
    assert (reply.status, reply.error) == (200, 0)
    (call,) = sandbox.calls.executed("profiles/import")
    assert (call.token, call.token_places) == ("full-1", ("body",))
    assert call.params == {"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}}
    assert TOKEN.encode() not in reply.body
    assert changes.requests == {("profiles/import", "0", "upstream"): 1}


def test_an_xml_call_is_understood_by_a_platform_that_is_spoken_to_in_json(
    caller: Caller, sandbox: Sandbox
) -> None:
    with counting(caller) as changes:
        reply = caller.xml("profiles/import", WRITE_XML)
    assert (reply.status, reply.error, reply.xml().tag) == (200, 0, "xml")
    (call,) = sandbox.calls.executed("profiles/import")
    assert call.incoming.header("content-type") == JSON
    assert call.params == {"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}}
    assert changes.requests == {("profiles/import", "0", "upstream"): 1}
    assert changes.of("gateway_conversions_total", "direction") == {("xml_to_json",): 1, ("json_to_xml",): 1}


def test_what_was_written_in_json_is_read_in_xml(caller: Caller) -> None:
    caller.json(
        "profiles/import", db_id=1, email="jim@example.com", data={"_fname": "Jim", "tags": ["a", "b"]}
    )
    profile = caller.xml("profiles/get", "<xml><db_id>1</db_id><email>jim@example.com</email></xml>").xml()
    assert profile.findtext("data/_fname") == "Jim"
    assert [tag.text for tag in profile.findall("data/tags")] == ["a", "b"]


def test_a_json_reply_is_the_platforms_byte_for_byte(caller: Caller, platform: Platform) -> None:
    direct = platform.direct.json("profiles/get", token=TOKEN, db_id=1, email="customer1@example.com")
    assert caller.call("profiles/get", READ).body == direct.body


@pytest.mark.parametrize(
    ("query", "body", "headers", "expected"),
    [
        pytest.param("", READ, (), JSON, id="JSON by default"),
        pytest.param("?format=xml", READ, (), XML, id="the URL asks for XML"),
        pytest.param("?%66ormat=xml", READ, (), XML, id="the URL asks in another spelling"),
        pytest.param("", READ[:-1] + ', "format": "xml"}', (), XML, id="the body asks for XML"),
        pytest.param("?format=json", READ[:-1] + ', "format": "xml"}', (), JSON, id="URL before body"),
        pytest.param("", READ, (("Accept", XML),), XML, id="Accept asks for XML"),
        pytest.param("", READ, (("Accept", f"{XML}, {JSON}"),), JSON, id="Accept prefers neither"),
        pytest.param("", READ, (("Accept", f"{JSON};q=0.5, {XML}"),), XML, id="Accept prefers XML"),
        pytest.param("?format=json", READ, (("Accept", XML),), JSON, id="the URL before Accept"),
        pytest.param("", READ, (("Accept", "image/png"),), JSON, id="never 406"),
    ],
)
def test_the_caller_chooses_the_format_of_the_reply(
    caller: Caller,
    sandbox: Sandbox,
    query: str,
    body: str,
    headers: tuple[tuple[str, str], ...],
    expected: str,
) -> None:
    reply = caller.call(f"profiles/get{query}", body, *headers)
    assert reply.error == 0
    assert (reply.header("content-type") or "").startswith(expected)
    (call,) = sandbox.calls.executed("profiles/get")
    assert call.incoming.query == ()
    assert b"format" not in call.incoming.body


def test_an_xml_call_is_answered_in_json_unless_it_asks(caller: Caller) -> None:
    reply = caller.call("profiles/get", READ_XML, content_type=XML)
    assert reply.json()["data"]["email"] == "customer1@example.com"


def test_with_as_request_an_xml_call_is_answered_in_xml(gateway_with: GatewayWith) -> None:
    caller = gateway_with(replies={"default_format": "as_request"})
    assert caller.call("profiles/get", READ_XML, content_type=XML).xml().findtext("error") == "0"
    assert caller.call("profiles/get", READ).json()["error"] == 0


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "Application/XML"])
def test_every_name_of_xml_is_taken(caller: Caller, content_type: str) -> None:
    assert caller.call("profiles/get", READ_XML, content_type=content_type).error == 0


@pytest.mark.parametrize("method", ["profiles/get/", "/profiles/get", "profiles//get"])
def test_slashes_too_many_name_the_same_method(caller: Caller, sandbox: Sandbox, method: str) -> None:
    with counting(caller) as changes:
        assert caller.call(method, READ).error == 0
    assert changes.requests == {("profiles/get", "0", "upstream"): 1}
    assert len(sandbox.calls.executed("profiles/get")) == 1


def test_csv_passes_through_untouched(caller: Caller, platform: Platform) -> None:
    goal = {"db_id": 1, "pixel_id": 1, "goal": "order", "email": "customer1@example.com"}
    assert caller.json("goals/register", **goal).error == 0
    wanted = {"list_id": 1, "date_from": "2000-01-01", "date_to": "2100-01-01", "format": "csv"}
    direct = platform.direct.json("subscribers/history_get_all", token=TOKEN, **wanted)
    reply = caller.json("subscribers/history_get_all", ("Accept", XML), **wanted)
    assert (direct.header("content-type") or "").startswith("text/csv")
    assert (reply.body, reply.header("content-type")) == (direct.body, direct.header("content-type"))
    assert reply.body.count(b"\n") > 1


@pytest.mark.parametrize("asks_in", [JSON, XML])
@pytest.mark.parametrize("answered_in", [JSON, XML])
def test_a_platform_that_only_knows_xml_is_spoken_to_in_xml(
    gateway_with: GatewayWith, sandbox: Sandbox, asks_in: str, answered_in: str
) -> None:
    caller = gateway_with(upstream={"format": "xml"})
    body = READ if asks_in == JSON else READ_XML
    reply = caller.call("profiles/get", body, ("Accept", answered_in), content_type=asks_in)
    (call,) = sandbox.calls.executed("profiles/get")
    assert call.incoming.header("content-type") == XML
    sent = ET.fromstring(call.incoming.body)
    assert [(child.tag, child.text) for child in sent] == [
        ("token", TOKEN),
        ("db_id", "1"),
        ("email", "customer1@example.com"),
        ("format", "xml"),
    ]
    if answered_in == JSON:
        profile = reply.json()["data"]
        assert (profile["email"], profile["phones"]) == ("customer1@example.com", ["+79000010001"])
    else:
        assert reply.xml().findtext("data/phones") == "+79000010001"


def test_a_list_of_one_stays_a_list_for_a_platform_that_only_knows_xml(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"format": "xml"})
    data = {"phones": ["+79990000001"]}
    assert caller.json("profiles/import", db_id=1, email="jim@example.com", data=data).error == 0
    (call,) = sandbox.calls.executed("profiles/import")
    assert call.params["data"] == data


def test_other_url_parameters_go_on_in_order_and_as_spelt(caller: Caller, sandbox: Sandbox) -> None:
    assert caller.call("profiles/get?request_id=1%32&format=xml&b=%C3%A9&a", READ).error == 0
    (call,) = sandbox.calls.executed("profiles/get")
    assert call.incoming.target.endswith(b"?request_id=1%32&b=%C3%A9&a")


def test_a_read_can_be_asked_with_query(caller: Caller, sandbox: Sandbox) -> None:
    reply = caller.send("QUERY", "/api/v1.1/profiles/get", READ, ("Content-Type", JSON))
    assert (reply.status, reply.error) == (200, 0)
    assert len(sandbox.calls.executed("profiles/get")) == 1


def test_a_method_that_the_catalogue_does_not_know_is_passed_on_as_a_write(
    caller: Caller, sandbox: Sandbox
) -> None:
    with counting(caller) as changes:
        reply = caller.json("brand/new_method", a=1)
    assert reply.error == 501
    assert (reply.header("cache-status"), reply.header("gateway-flight")) == ("gateway; fwd=method", "led")
    (call,) = sandbox.calls.of("brand/new_method")
    assert (call.fate, call.request_id) == (Fate.REFUSED, reply.header("request-id"))
    assert changes.requests == {("other", "501", "upstream"): 1}


def test_a_callers_request_id_is_the_one_the_platform_gets_for_a_write(
    caller: Caller, sandbox: Sandbox
) -> None:
    bodies = [caller.call("profiles/import", WRITE_XML, ("Request-ID", "order-7"), content_type=XML)]
    bodies += [caller.call("profiles/import", WRITE_XML, ("Idempotency-Key", '"order-7"'), content_type=XML)]
    assert [reply.header("request-id") for reply in bodies] == ["order-7", "order-7"]
    assert [call.request_id for call in sandbox.calls.of("profiles/import")] == ["order-7", "order-7"]
    assert len(sandbox.calls.executed("profiles/import")) == 1
    assert [reply.header("duplicate-request") for reply in bodies] == [None, "true"]


def test_a_callers_request_id_is_echoed_on_a_read_and_stays_here(caller: Caller, sandbox: Sandbox) -> None:
    reply = caller.call("profiles/get", READ, ("Request-ID", "look-1"))
    assert reply.header("request-id") == "look-1"
    (call,) = sandbox.calls.of("profiles/get")
    assert call.request_id is None


def test_the_platform_gets_only_headers_that_the_gateway_writes(caller: Caller, sandbox: Sandbox) -> None:
    caller.call(
        "profiles/get", READ, ("Cookie", "session=1"), ("X-Forwarded-For", "10.0.0.1"), ("User-Agent", "me")
    )
    (call,) = sandbox.calls.of("profiles/get")
    assert {name for name, _ in call.incoming.headers} == {
        "host",
        "content-type",
        "content-length",
        "accept",
        "accept-encoding",
        "user-agent",
    }
    assert call.incoming.header("user-agent") == "platform-gateway"


def test_httpx_own_transport_does_the_same(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(upstream={"transport": "httpx"})
    assert caller.xml("profiles/import", WRITE_XML).error == 0
    (call,) = sandbox.calls.executed("profiles/import")
    assert call.token == "full-1"


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
@pytest.mark.parametrize("pieces", [1, 2], ids=["at once", "head first"])
def test_an_offer_of_another_protocol_is_ignored(
    caller: Caller, sandbox: Sandbox, upgrade: str, pieces: int
) -> None:
    """Java's HttpClient makes one with every first call."""
    head = (
        "POST /api/v1.1/databases/get HTTP/1.1\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\nContent-Length: 9\r\n"
        f"Host: localhost\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\nUpgrade: {upgrade}\r\n"
        f"User-Agent: Java-http-client/21\r\nContent-Type: {JSON}\r\n\r\n"
    )
    with caller.connected() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if pieces == 1:
            connection.sendall(head.encode() + b'{"id": 1}')
        else:
            connection.sendall(head.encode())
            caller.get("/livez")  # the gateway has read the head by now
            connection.sendall(b'{"id": 1}')
        assert read_reply(connection).error == 0
    assert len(sandbox.calls.executed("databases/get")) == 1
