"""Every limit on what is read: the call just under it passes, the one just over is refused as documented, and
nothing of it reaches the platform."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from gateway.catalogue.model import Catalogue
from tests.e2e.answering import JSON_HEADERS, Answering, answering
from tests.e2e.caller import JSON, XML, Caller, read_reply
from tests.e2e.conftest import ENVIRON, settings_for
from tests.e2e.inthread import running_gateway
from tests.e2e.scraping import scrape_used
from tests.e2e.waiting import until

LIMITS = {
    "body_bytes": "200000B",
    "xml_bytes": "150000B",
    "reply_bytes": "300000B",
    "depth": 20,
    "elements": 30_000,
}
XML_HEADERS = {"Content-Type": "application/xml"}


@dataclass(frozen=True)
class Limit:
    """Two calls, or replies, of which only the second is over the limit; and what is said of that one."""

    under: bytes
    over: bytes
    said: str
    status: int = 400
    content_type: str = JSON


def bytes_of_json(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


def bytes_of_xml(size: int) -> bytes:
    return b"<xml><a>" + b"x" * (size - 18) + b"</a></xml>"


def deep_json(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def deep_xml(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def many_values(count: int) -> bytes:
    """Of `count` brackets and commas together."""
    return b'{"a":[' + b"1," * (count - 2) + b"1]}"


def many_elements(count: int) -> bytes:
    return b"<x>" + b"<a/>" * (count - 1) + b"</x>"


def many_parameters(count: int) -> bytes:
    return json.dumps({f"p{number}": 1 for number in range(count)}).encode()


def many_fields(count: int) -> bytes:
    return b"<x>" + b"".join(b"<p%d/>" % number for number in range(count)) + b"</x>"


def number(size: int) -> bytes:
    return b'{"a":' + b"9" * size + b"}"


def typed_number(size: int) -> bytes:
    return b"<xml><db_id>" + b"9" * size + b"</db_id></xml>"


REQUESTS = {
    "bytes of JSON": Limit(
        bytes_of_json(200_000), bytes_of_json(200_001), "the body is larger than 200000 bytes", 413
    ),
    "bytes of XML": Limit(
        bytes_of_xml(150_000), bytes_of_xml(150_001), "the body is larger than 150000 bytes", 413, XML
    ),
    "depth of JSON": Limit(deep_json(20), deep_json(21), "the body is nested deeper than 20 levels"),
    "depth of XML": Limit(deep_xml(20), deep_xml(21), "the body is nested too deep", content_type=XML),
    "values in JSON": Limit(
        many_values(30_000), many_values(30_001), "the body has more than 30000 elements"
    ),
    "elements of XML": Limit(
        many_elements(30_000),
        many_elements(30_001),
        "the body has more than 30000 elements",
        content_type=XML,
    ),
    "parameters in JSON": Limit(
        many_parameters(10_000), many_parameters(10_001), "the body has more than 10000 parameters"
    ),
    "parameters in XML": Limit(
        many_fields(10_000), many_fields(10_001), "the body has more than 10000 parameters", content_type=XML
    ),
    "a number in JSON": Limit(number(1000), number(1001), "a number has more than 1000 characters"),
    "a number in XML": Limit(
        typed_number(1000), typed_number(1001), "a number has more than 1000 characters", content_type=XML
    ),
    "attributes": Limit(
        b"<xml><a array='true'>1</a></xml>",
        b"<xml><a array='true' b='1'>1</a></xml>",
        "an element has an attribute other than array='true'",
        content_type=XML,
    ),
}


@pytest.fixture(scope="module")
def platform() -> Iterator[Answering]:
    with answering() as made:
        yield made


@pytest.fixture(scope="module")
def _gateway(platform: Answering, catalogue: Catalogue) -> Iterator[Caller]:
    settings = settings_for(platform.base_url, limits=LIMITS)
    with running_gateway(settings, ENVIRON, catalogue) as gateway:
        yield gateway.caller


@pytest.fixture
def caller(platform: Answering, _gateway: Caller) -> Caller:
    platform.body, platform.headers = Answering.body, JSON_HEADERS
    platform.got.clear()
    return _gateway


@pytest.mark.parametrize("limit", REQUESTS.values(), ids=REQUESTS.keys())
def test_a_call_just_under_the_limit_passes_and_one_just_over_is_refused(
    caller: Caller, platform: Answering, limit: Limit
) -> None:
    passed = caller.call("profiles/import", limit.under, content_type=limit.content_type)
    assert (passed.status, passed.error, len(platform.got)) == (200, 0, 1)

    refused = caller.call("profiles/import", limit.over, content_type=limit.content_type)
    assert (refused.status, refused.error) == (limit.status, 400)
    assert refused.error_text == f"gateway: {limit.said}"
    assert len(platform.got) == 1


@pytest.mark.parametrize(
    ("under", "over", "said"),
    [
        ("&".join(["a=1"] * 1000), "&".join(["a=1"] * 1001), "the URL has more than 1000 parameters"),
        ("n" * 300, "n" * 301, "a parameter of the URL has a name of more than 300 bytes"),
    ],
    ids=["parameters", "a name"],
)
def test_the_urls_parameters_are_bounded_too(
    caller: Caller, platform: Answering, under: str, over: str, said: str
) -> None:
    assert caller.json(f"profiles/import?{under}", id=1).status == 200
    refused = caller.json(f"profiles/import?{over}", id=1)
    assert (refused.status, refused.error, refused.error_text) == (400, 400, f"gateway: {said}")
    assert len(platform.got) == 1


def reply_of(size: int) -> bytes:
    return b'{"error":0,"a":"' + b"x" * (size - 18) + b'"}'


def deep_reply(levels: int) -> bytes:
    return b"<xml><error>0</error>" + b"<a>" * (levels - 1) + b"</a>" * (levels - 1) + b"</xml>"


def wide_reply(elements: int) -> bytes:
    return b"<xml><error>0</error>" + b"<a/>" * (elements - 2) + b"</xml>"


REPLIES = {
    "bytes": (Limit(reply_of(300_000), reply_of(300_001), "proper HTTP", 502), JSON_HEADERS),
    "depth": (Limit(deep_reply(20), deep_reply(21), "neither JSON nor XML", 502), XML_HEADERS),
    "elements": (Limit(wide_reply(30_000), wide_reply(30_001), "neither JSON nor XML", 502), XML_HEADERS),
}


@pytest.mark.parametrize(("limit", "headers"), REPLIES.values(), ids=REPLIES.keys())
def test_a_reply_just_under_the_limit_is_handed_out_and_one_just_over_is_not(
    caller: Caller, platform: Answering, limit: Limit, headers: dict[str, str]
) -> None:
    platform.headers, platform.body = headers, limit.under
    passed = caller.json("profiles/get", ("Accept", headers["Content-Type"]), id=1)
    assert (passed.status, passed.body) == (200, limit.under)

    platform.body = limit.over
    refused = caller.json("profiles/get", id=1)
    assert (refused.status, refused.error) == (limit.status, 502)
    assert limit.said in refused.error_text
    assert caller.get("/livez").status == 200


@pytest.mark.parametrize("accept", [JSON, XML])
def test_a_reply_in_json_may_be_as_deep_as_a_parser_bears_and_no_deeper(
    caller: Caller, platform: Answering, accept: str
) -> None:
    platform.body = b'{"error":0,"a":' + b"[" * 500 + b"]" * 500 + b"}"
    assert caller.json("profiles/get", ("Accept", accept), id=1).error == 0
    platform.body = b'{"error":0,"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    refused = caller.json("profiles/get", ("Accept", accept), id=1)
    assert (refused.status, refused.error) == (502, 502)
    assert "neither JSON nor XML" in refused.error_text


def test_the_bodies_of_all_calls_together_are_bounded_and_small_calls_go_on(
    platform: Answering, catalogue: Catalogue
) -> None:
    """Two callers that hold back the end of a large body have room. A third is told to come again."""
    platform.body, platform.headers = Answering.body, JSON_HEADERS
    limits = {"bodies_bytes": "2MiB", "queue_timeout": "200ms"}
    settings = settings_for(platform.base_url, limits=limits)
    body = bytes_of_json(1024 * 1024)
    with running_gateway(settings, ENVIRON, catalogue) as gateway, ExitStack() as stack:
        caller = gateway.caller
        held = [stack.enter_context(caller.connected()) for _ in range(2)]
        for connection in held:
            connection.sendall(large_call(body)[:-1])
        waiting = stack.enter_context(caller.connected())
        until(lambda: scrape_used(caller).value("gateway_requests_in_progress") == 2, "both are let in")
        assert caller.json("profiles/get", id=1).error == 0
        waiting.sendall(large_call(body)[: 100 * 1024])
        refused = read_reply(waiting)
        assert (refused.status, refused.error, refused.header("retry-after")) == (503, 503, "1")
        assert refused.error_text == "gateway: overloaded: too many large bodies; nothing was sent"
        for connection in held:
            connection.sendall(body[-1:])
            assert read_reply(connection).error == 0
        assert caller.call("profiles/import", body).error == 0


def large_call(body: bytes) -> bytes:
    head = b"POST /api/v1.1/profiles/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
