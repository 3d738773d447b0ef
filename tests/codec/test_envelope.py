import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import envelope
from gateway.codec.body import BodyLimits
from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format

LIMITS = BodyLimits(depth=64, elements=2_000_000)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("0", 0),
        ("404", 404),
        ('"0"', 0),
        ('"404"', 404),
        ("-1", -1),
        ("null", None),
        ("0.0", None),
        ("4e2", None),
        ("true", None),
        ("false", None),
        ("{}", None),
        ("[0]", None),
        ('""', None),
        ('"oops"', None),
        ('"00"', None),
        ('" 0"', None),
        ('"' + "9" * 5000 + '"', None),
        ("9" * 5000, None),
    ],
)
def test_the_code_is_an_integer_or_nothing(error: str, code: int | None) -> None:
    read = envelope.read(f'{{"a":[1,2],"error":{error},"error_text":"t"}}'.encode())

    assert read == Envelope(code=code, error_text="t", is_object=True, is_json=True)


@pytest.mark.parametrize("text", [b"null", b"1", b"[]", b'{"a":1}', b'"\xff"'])
def test_a_text_that_is_none_is_none(text: bytes) -> None:
    assert envelope.read(b'{"error":0,"error_text":' + text + b"}").error_text is None


def test_a_reply_without_a_code() -> None:
    assert envelope.read(b'{"data":1}') == Envelope(is_object=True, is_json=True)


@pytest.mark.parametrize("body", [b"[]", b'[{"error":0}]', b"1", b'"x"', b"null", b" true "])
def test_json_that_is_no_object_is_told_from_garbage(body: bytes) -> None:
    assert envelope.read(body) == Envelope(is_json=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"error":0',
        b'{"error":0}}',
        b"[1",
        b'"x',
        b"\xff\xfe",
        b'{"\xff":1}',
        b'{"a":' + b"[" * 100_000,
        b"[" * 100_000,
    ],
)
def test_garbage_is_no_answer(body: bytes) -> None:
    assert envelope.read(body) == Envelope()


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":5,"error_text":"a","error":0}',
        rb'{"\u0065rror":0,"error_text":"a"}',
        b'{"a":"\xff","error":0,"error_text":"a"}',
        b'{"a":{"error":1},"error":0,"error_text":"a"}',
    ],
)
def test_the_last_code_counts_however_it_is_spelt_and_whatever_is_beside_it(body: bytes) -> None:
    assert (
        envelope.read(body) == envelope.read(body, "result") == envelope.read(b'{"error":0,"error_text":"a"}')
    )


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_make_reading_raise(body: bytes) -> None:
    envelope.read(body, "result")
    envelope.read_xml(body, LIMITS, "result")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_makes_reading_raise(value: object) -> None:
    body = json.dumps({"error": value, "error_text": value, "result": value}).encode()
    read = envelope.read(body, "result")

    assert read.code is None or isinstance(read.code, int)


@pytest.mark.parametrize(
    ("result", "codes"),
    [
        ("[]", ()),
        ('[{"error":0},{"error":409,"error_text":"x"}]', ((0, 1), (409, 1))),
        ('[{"error":"0"},{"id":1},5,null,[]]', ((0, 1), (None, 4))),
        ('{"error":0}', ()),
        ("null", ()),
        ('"x"', ()),
    ],
)
def test_a_batch_has_a_code_for_each_item(result: str, codes: tuple[tuple[int | None, int], ...]) -> None:
    read = envelope.read(f'{{"error":0,"result":{result}}}'.encode(), "result")

    assert read.code == 0
    assert read.item_codes == codes


def test_a_batch_of_many_codes_tells_some_of_them_and_counts_all() -> None:
    items = [{"error": 0}] * 3 + [{"error": code} for code in range(1, 1000)]
    codes = dict(envelope.read(json.dumps({"error": 0, "result": items}).encode(), "result").item_codes)

    assert (len(codes), sum(codes.values()), codes[0]) == (257, 1002, 3)


@pytest.mark.parametrize(
    "code", ["1000000000", "-1000000000", "123456789012345678901234567890", '"1000000000"']
)
def test_a_number_that_is_no_code_is_none(code: str) -> None:
    """It would not fit where codes are kept: once it kept the journal from writing anything."""
    assert envelope.read(b'{"error":%b}' % code.encode()).code is None
    assert envelope.read(b'{"error":999999999}').code == 999_999_999


def test_items_are_read_only_where_the_method_has_some() -> None:
    body = b'{"error":0,"result":[{"error":1}]}'

    assert envelope.read(body).item_codes == ()
    assert envelope.read(body, "errors").item_codes == ()


@pytest.mark.parametrize(
    "result",
    [
        "<result><xml><error>0</error></xml><xml><error>409</error></xml></result>",
        "<result><error>0</error></result><result><error>409</error></result>",
    ],
)
def test_an_xml_reply_is_read_alike(result: str) -> None:
    body = f"<xml><error>0</error><error_text>ok</error_text>{result}</xml>".encode()

    assert envelope.read_xml(body, LIMITS, "result") == Envelope(0, "ok", ((0, 1), (409, 1)), is_object=True)
    assert envelope.read_xml(body, LIMITS) == Envelope(0, "ok", is_object=True)


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml>", b"<!DOCTYPE html><html/>", b"<html>x<b/></html>"])
def test_xml_garbage_is_no_answer(body: bytes) -> None:
    assert envelope.read_xml(body, LIMITS) == Envelope()


@pytest.mark.parametrize("text", ["no token", 'a "b" <c> & d', "é😀", "\x00"])
def test_own_errors_have_the_platforms_shape(text: str) -> None:
    as_json = json.loads(envelope.own_error(Format.JSON, 503, text))
    as_xml = ElementTree.fromstring(envelope.own_error(Format.XML, 503, text))

    assert as_json == {"error": 503, "error_text": f"gateway: {text}"}
    assert [(child.tag, child.text) for child in as_xml] == [
        ("error", "503"),
        ("error_text", "gateway: " + text.replace("\x00", "\ufffd")),
    ]
