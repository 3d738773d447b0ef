"""Whatever token a caller sends, wherever and however spelt, the platform gets the gateway's and no other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.calls import Call
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, XML, Caller
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith, Platform, settings_for
from tests.e2e.inthread import RunningGateway, running_gateway

THEIRS = "their-own-token"
PLACEMENTS = ("body", "header", "query")

BODIES = [
    pytest.param(JSON, '{"token": "%s", "id": 1}', id="JSON"),
    pytest.param(JSON, '{"TOKEN": "%s", "id": 1, "Token": "%s"}', id="JSON in capitals"),
    pytest.param(JSON, '{"token": "x", "id": 1, "token": "%s"}', id="JSON doubled"),
    pytest.param(JSON, '{"\\u0074o\\u006Ben": "%s", "id": 1}', id="JSON escaped"),
    pytest.param(JSON, '{"to\u212aen": "%s", "id": 1}', id="JSON with a Kelvin sign for k"),
    pytest.param(JSON, '{"token": {"a": ["%s"]}, "id": 1}', id="JSON, an object"),
    pytest.param(XML, "<xml><token>%s</token><id>1</id></xml>", id="XML"),
    pytest.param(XML, "<xml><id>1</id><Token>%s</Token><TOKEN>%s</TOKEN></xml>", id="XML in capitals"),
    pytest.param(XML, "<xml><token>x</token><id>1</id><token>%s</token></xml>", id="XML doubled"),
    pytest.param(XML, "<xml><token><![CDATA[%s]]></token><id>1</id></xml>", id="XML in CDATA"),
    pytest.param(XML, "<xml><token><a>%s</a></token><id>1</id></xml>", id="XML, an object"),
]

QUERIES = [
    pytest.param("token=%s", "", id="plain"),
    pytest.param("%%74oken=%s", "", id="escaped"),
    pytest.param("TOKEN=%s&a=1", "a=1", id="capitals"),
    pytest.param("a=1&token=%s&token=%s&b=2", "a=1&b=2", id="doubled"),
    pytest.param("a=1;token=%s", "a=1", id="behind a semicolon"),
    pytest.param("a=1&to%%6ben=%s", "a=1", id="one letter escaped"),
]


def filled(template: str) -> str:
    return template.replace("%s", THEIRS)


def assert_only_ours(call: Call, placement: str) -> None:
    """The raw request holds our token once, at its place, and nothing of theirs."""
    assert (call.token, call.token_places) == ("full-1", (placement,))
    head = "\n".join(f"{name}: {value}" for name, value in call.incoming.headers).encode()
    raw = b"\n".join((unquote_to_bytes(call.incoming.target), head, call.incoming.body))
    assert raw.count(TOKEN.encode()) == 1
    assert THEIRS.encode() not in raw


@dataclass(frozen=True)
class Placed:
    """A gateway that puts its token there."""

    placement: str
    gateway: RunningGateway


@pytest.fixture(scope="module", params=PLACEMENTS)
def _placed(
    request: pytest.FixtureRequest, shared_platform: Platform, catalogue: Catalogue
) -> Iterator[Placed]:
    settings = settings_for(shared_platform.base_url, token_placement=request.param)
    with running_gateway(settings, ENVIRON, catalogue) as gateway:
        yield Placed(request.param, gateway)


@pytest.fixture
def placement(_placed: Placed) -> str:
    return _placed.placement


@pytest.fixture
def caller(platform: Platform, _placed: Placed) -> Iterator[Caller]:
    yield _placed.gateway.caller
    _placed.gateway.assert_idle()


@pytest.mark.parametrize(("content_type", "body"), BODIES)
def test_a_token_in_the_body_is_dropped(
    caller: Caller, sandbox: Sandbox, placement: str, content_type: str, body: str
) -> None:
    assert caller.call("databases/get", filled(body), content_type=content_type).error == 0
    (call,) = sandbox.calls.of("databases/get")
    assert_only_ours(call, placement)
    ours = [("token", TOKEN)] if placement == "body" else []
    assert list(json.loads(call.incoming.body).items()) == [*ours, ("id", 1)]


@pytest.mark.parametrize(("query", "kept"), QUERIES)
def test_a_token_in_the_url_is_dropped(
    caller: Caller, sandbox: Sandbox, placement: str, query: str, kept: str
) -> None:
    url = "databases/get?" + query.replace("%s", THEIRS).replace("%%", "%")
    assert caller.json(url, id=1).error == 0
    (call,) = sandbox.calls.of("databases/get")
    assert_only_ours(call, placement)
    expected = {"query": f"{kept}&token={TOKEN}".lstrip("&")}.get(placement, kept)
    assert call.incoming.target.partition(b"?")[2].decode() == expected


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((("Authorization", f"Bearer {THEIRS}"),), id="bearer"),
        pytest.param((("AUTHORIZATION", f"bearer {THEIRS}"), ("Authorization", THEIRS)), id="doubled"),
        pytest.param((("Proxy-Authorization", f"Bearer {THEIRS}"),), id="for the proxy"),
        pytest.param((("Token", THEIRS), ("X-Api-Key", THEIRS), ("Cookie", f"token={THEIRS}")), id="others"),
    ],
)
def test_a_token_in_a_header_is_dropped(
    caller: Caller, sandbox: Sandbox, placement: str, headers: tuple[tuple[str, str], ...]
) -> None:
    assert caller.json("databases/get", *headers, id=1).error == 0
    (call,) = sandbox.calls.of("databases/get")
    assert_only_ours(call, placement)


def test_for_a_platform_that_only_knows_xml_the_token_is_replaced_as_well(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"format": "xml"})
    body = f"<xml><Token>{THEIRS}</Token><id>1</id><token>{THEIRS}</token></xml>"
    assert caller.xml("databases/get", body).error == 0
    (call,) = sandbox.calls.of("databases/get")
    assert_only_ours(call, "body")


def test_a_deeper_field_called_token_is_data_and_stays(caller: Caller, sandbox: Sandbox) -> None:
    data = {"token": "inner", "_fname": "Jim"}
    assert caller.json("profiles/import", db_id=1, email="jim@example.com", data=data).error == 0
    (call,) = sandbox.calls.of("profiles/import")
    assert call.params["data"] == data


def test_a_method_with_a_token_of_its_own_kind_gets_none(caller: Caller, sandbox: Sandbox) -> None:
    url = f"profiles/message_unsub?token={THEIRS}"
    reply = caller.json(url, token=THEIRS, rtoken="the-resource-token", smid="5")
    (call,) = sandbox.calls.of("profiles/message_unsub")
    raw = repr(call.incoming)
    assert TOKEN not in raw
    assert THEIRS not in raw
    assert json.loads(call.incoming.body) == {"rtoken": "the-resource-token", "smid": "5"}
    assert reply.header("gateway-flight") == "led"
