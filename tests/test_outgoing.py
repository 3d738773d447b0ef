"""gateway.outgoing: how a call is written for the platform."""

import json

import msgspec
import pytest

from gateway.codec import xmlbody
from gateway.codec.body import MalformedBodyError
from gateway.codec.negotiation import Format
from gateway.outgoing import Dialect, Writer
from gateway.settings.model import TokenPlacement
from gateway.settings.upstream import Compression
from gateway.tokens.secret import Secret
from tests.builders import READ, WRITE, fields, request

TOKEN = Secret('to"ken & <more>/+é')


def writer(
    placement: TokenPlacement = TokenPlacement.BODY,
    spoken: Format = Format.JSON,
    request_id_header: str | None = "Request-ID",
) -> Writer:
    base_url = "https://example.com:8443/api/v1.1"
    return Writer(Dialect(base_url, spoken, placement, request_id_header), [READ, WRITE])


def test_a_write_is_these_bytes() -> None:
    out = writer().write(request(query=b"a=1"), Secret("the-token"), "id-1")
    assert out.head == (
        b"POST /api/v1.1/profiles/import?a=1 HTTP/1.1\r\n"
        b"Host: example.com:8443\r\n"
        b"Content-Type: application/json\r\n"
        b"Accept: application/json\r\n"
        b"Accept-Encoding: identity\r\n"
        b"User-Agent: platform-gateway\r\n"
        b"Request-ID: id-1\r\n"
    )
    assert out.body == b'{"token":"the-token","db_id":1}'
    assert str(out.to.url) == "https://example.com:8443/api/v1.1/profiles/import?a=1"


def test_equal_calls_are_equal_on_the_wire_but_for_their_id() -> None:
    one, other = (writer().write(request(), TOKEN, f"id-{n}") for n in "12")
    assert one.body == other.body
    assert one.head.replace(b"id-1", b"id-2") == other.head


def test_a_read_carries_no_request_id_and_the_documented_slash() -> None:
    out = writer().write(request(READ), TOKEN, "id-1")
    assert b"id-1" not in out.head
    assert out.head.startswith(b"POST /api/v1.1/profiles/get/ HTTP/1.1\r\n")
    assert out.to.url.raw_path == b"/api/v1.1/profiles/get/"


def test_replies_are_asked_for_as_the_setting_says() -> None:
    dialect = Dialect(
        "https://example.com/api/v1.1", Format.JSON, TokenPlacement.BODY, None, Compression.GZIP
    )
    out = Writer(dialect, [READ]).write(request(READ), TOKEN, "id-1")
    assert b"\r\nAccept-Encoding: gzip\r\n" in out.head


def test_without_a_request_id_header_none_is_sent() -> None:
    assert b"id-1" not in writer(request_id_header=None).write(request(), TOKEN, "id-1").head


@pytest.mark.parametrize("placement", list(TokenPlacement))
def test_the_token_is_in_its_place_and_nowhere_else(placement: TokenPlacement) -> None:
    secret = Secret("abcdefgh12345678")
    out = writer(placement).write(request(query=b"a=1"), secret, "id-1")
    places = {
        TokenPlacement.BODY: json.loads(out.body).get("token") == "abcdefgh12345678",
        TokenPlacement.HEADER: b"\r\nAuthorization: Bearer abcdefgh12345678\r\n" in out.head,
        TokenPlacement.QUERY: out.to.url.query == b"a=1&token=abcdefgh12345678",
    }
    assert [place for place, found in places.items() if found] == [placement]
    assert (out.head + out.body).count(b"abcdefgh12345678") == 1


def test_a_token_that_needs_escaping_arrives_as_it_is() -> None:
    in_body = writer().write(request(), TOKEN, "id-1")
    assert json.loads(in_body.body)["token"] == TOKEN.reveal()
    in_query = writer(TokenPlacement.QUERY).write(request(), TOKEN, "id-1")
    assert in_query.to.url.params["token"] == TOKEN.reveal()


def test_a_method_without_a_token_gets_none() -> None:
    out = writer().write(request(), None, "id-1")
    assert out.body == b'{"db_id":1}'


def test_values_keep_their_spelling() -> None:
    content = {
        "n": msgspec.Raw(b"1.10"),
        "big": msgspec.Raw(b"9" * 30),
        "o": msgspec.Raw(b'{"b": 1,  "a":2}'),
    }
    out = writer().write(request(content=content), Secret("the-token"), "id-1")
    assert out.body == b'{"token":"the-token","n":1.10,"big":' + b"9" * 30 + b',"o":{"b": 1,  "a":2}}'


def test_a_platform_that_knows_only_xml_gets_xml_and_is_asked_for_it() -> None:
    content = fields(email="a&b", ids=[1])
    out = writer(spoken=Format.XML).write(request(content=content), Secret("the-token"), "i")
    assert out.body == (
        b"<xml><token>the-token</token><email>a&amp;b</email><ids array='true'>1</ids>"
        b"<format>xml</format></xml>"
    )
    assert b"Content-Type: application/xml\r\n" in out.head


def test_the_platforms_own_format_is_not_overwritten() -> None:
    content = fields(format="csv")
    out = writer(spoken=Format.XML).write(request(content=content, untouched=True), Secret("the-token"), "i")
    assert b"<format>csv</format>" in out.body
    assert out.untouched


def test_a_name_that_comes_twice_cannot_go_into_xml() -> None:
    content = {"n": msgspec.Raw(b'{"a":1,"a":2}')}
    with pytest.raises(MalformedBodyError, match="comes twice"):
        writer(spoken=Format.XML).write(request(content=content), Secret("the-token"), "i")


def test_a_document_that_was_written_before_gets_the_token_in_front() -> None:
    to_xml = writer(spoken=Format.XML)
    for call in (request(), request(content={}, untouched=True), request(content={})):
        document = xmlbody.of_json(to_xml.plain(call), call.method.parameters)
        at_once = to_xml.write(call, Secret("the-t<ken"), "i").body
        assert to_xml.write(call, Secret("the-t<ken"), "i", document).body == at_once
        assert at_once.startswith(b"<xml><token>the-t&lt;ken</token>")
        assert to_xml.write(call, None, "i", document).body == document
