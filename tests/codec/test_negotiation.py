import msgspec
import pytest

from gateway.codec.negotiation import Format, body_format, reply_format, take_format


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"application/json", Format.JSON),
        (b"application/xml", Format.XML),
        (b"text/xml", Format.XML),
        (b"Application/JSON", Format.JSON),
        (b"application/json; charset=utf-8", Format.JSON),
        (b"application/json;charset=UTF-8", Format.JSON),
        (b'text/xml ; Charset="utf-8"', Format.XML),
        (b"application/json; version=1; charset=utf-8", Format.JSON),
        (b"application/json;", Format.JSON),
        (None, None),
        (b"", None),
        (b"text/plain", None),
        (b"text/json", None),
        (b"application/x-www-form-urlencoded", None),
        (b"multipart/form-data; boundary=x", None),
        (b"application/problem+json", None),
        (b"application/jsonx", None),
        (b"application/json, application/xml", None),
        (b"application/json; charset=latin-1", None),
        (b"application/json; charset=utf-16", None),
        (b"application/json; charset", None),
        (b"application/json; charset=utf-8; charset=utf-16", None),
        (b"application/xml; charset=\xff", None),
    ],
)
def test_the_content_type_names_the_format(content_type: bytes | None, expected: Format | None) -> None:
    assert body_format(content_type) is expected


@pytest.mark.parametrize("raw", [b'"xml"', rb'"\u0078ml"'])
def test_the_body_may_ask_for_a_format_and_the_field_is_taken_out(raw: bytes) -> None:
    fields = {"a": msgspec.Raw(b"1"), "format": msgspec.Raw(raw), "b": msgspec.Raw(b"2")}

    assert take_format(fields) == (Format.XML, {"a": msgspec.Raw(b"1"), "b": msgspec.Raw(b"2")})
    assert "format" in fields


@pytest.mark.parametrize(
    "raw", [b'"csv"', b'"XML"', b'"xml "', b"null", b"1", b'["xml"]', b'{"xml":1}', b'""']
)
def test_any_other_format_is_the_platforms_to_answer(raw: bytes) -> None:
    fields = {"format": msgspec.Raw(raw)}

    assert take_format(fields) == (None, fields)


def test_a_body_without_a_format_is_left_alone() -> None:
    fields = {"Format": msgspec.Raw(b'"xml"')}

    assert take_format(fields) == (None, fields)


@pytest.mark.parametrize(
    ("url", "body", "accept", "default", "expected"),
    [
        pytest.param(Format.XML, Format.JSON, b"application/json", Format.JSON, Format.XML, id="URL first"),
        pytest.param(None, Format.XML, b"application/json", Format.JSON, Format.XML, id="then the body"),
        pytest.param(Format.JSON, None, b"application/xml", Format.XML, Format.JSON, id="URL over Accept"),
        pytest.param(None, None, b"application/xml", Format.JSON, Format.XML, id="then Accept"),
        pytest.param(None, None, b"", Format.JSON, Format.JSON, id="then the default"),
        pytest.param(None, None, b"", Format.XML, Format.XML, id="then the default, XML"),
        pytest.param(
            None, None, b"application/json", Format.XML, Format.XML, id="Accept only ever asks for XML"
        ),
    ],
)
def test_who_says_which_format_the_reply_has(
    url: Format | None, body: Format | None, accept: bytes, default: Format, expected: Format
) -> None:
    assert reply_format(url, body, accept, default) is expected


@pytest.mark.parametrize(
    "accept",
    [
        b"application/xml",
        b"text/xml",
        b"TEXT/XML;Q=0.5",
        b"application/xml, application/json;q=0.9",
        b"application/json;q=0.1,application/xml;q=0.2",
        b"application/xml, */*;q=0.1",
        b"application/json;q=0, */*",
        b"application/json;q=0.5, application/*",
        b"application/xml;charset=utf-8",
        b"text/html, application/xml;q=0.9",
        b" application/xml ; q=1 , application/json ; q=0.999",
    ],
)
def test_accept_strictly_prefers_xml(accept: bytes) -> None:
    assert reply_format(None, None, accept, Format.JSON) is Format.XML


@pytest.mark.parametrize(
    "accept",
    [
        b"",
        b"*/*",
        b"application/*",
        b"text/*",
        b"text/html",
        b"application/json",
        b"application/json, application/xml",
        b"application/xml, application/json",
        b"application/xml, */*",
        b"application/xml;q=0.5, application/*",
        b"application/xml;q=0.5, */*",
        b"application/xml;q=0, application/json;q=0",
        b"application/xml;q=nan",
        b"application/xml;q=2",
        b"application/xml;q=-1",
        b"application/xml;q=",
        b"application/xml;q=x",
        b"application/xhtml+xml",
        b"image/svg+xml",
        b",;,=;q",
        b"\xff\xfe",
    ],
)
def test_accept_does_not_strictly_prefer_xml(accept: bytes) -> None:
    assert reply_format(None, None, accept, Format.JSON) is Format.JSON


def test_an_accept_of_a_whole_head_is_not_looked_into() -> None:
    asks = b"application/xml, " + b"a/b, " * 350
    assert reply_format(None, None, asks, Format.JSON) is Format.XML
    assert reply_format(None, None, asks + b"a/b, " * 50, Format.JSON) is Format.JSON


def test_content_types_name_the_charset_where_it_matters() -> None:
    """RFC 8259 section 11 has no charset parameter; RFC 7303 section 3 recommends one."""
    assert Format.JSON.content_type == "application/json"
    assert Format.XML.content_type == "application/xml; charset=utf-8"
