"""gateway.intake: what a call means."""

import pytest

from gateway import errors
from gateway.call import Request
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.intake import Intake
from gateway.offload import is_cheap
from gateway.routing import Target
from tests.builders import INTAKE, OFFLOAD, WRITE, call

pytestmark = pytest.mark.anyio

TARGET = Target("default", WRITE, WRITE.name)


async def read(
    body: bytes, content_type: bytes = b"application/json", query: bytes = b"", accept: bytes = b""
) -> Request:
    arrived = call(body, query=query, content_type=content_type, accept=accept)
    return INTAKE.read(arrived) if is_cheap(body) else await INTAKE.read_beside(arrived)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"application/json", b'{"token": "theirs", "db_id": 1, "TOKEN": "x"}'),
        (b"application/xml", b"<xml><token>theirs</token><db_id>1</db_id><Token>x</Token></xml>"),
    ],
)
async def test_a_callers_token_is_gone_after_the_intake(content_type: bytes, body: bytes) -> None:
    request = await read(body, content_type=content_type, query=b"a=1&token=theirs")
    assert list(request.fields) == ["db_id"]
    assert request.body == b'{"db_id":1}' or content_type == b"application/xml"
    assert b"theirs" not in request.body
    assert request.query == b"a=1"


async def test_a_large_call_is_not_kept_twice() -> None:
    assert (await read(b'{"a":"' + b"x" * 300_000 + b'"}')).body == b""


@pytest.mark.parametrize(
    ("body", "query", "accept", "expected"),
    [
        (b"{}", b"", b"*/*", Format.JSON),
        (b"{}", b"format=xml", b"application/json", Format.XML),
        (b'{"format": "xml"}', b"", b"application/json", Format.XML),
        (b'{"format": "json"}', b"format=xml", b"", Format.XML),
        (b"{}", b"", b"application/xml", Format.XML),
        (b"{}", b"", b"application/xml, application/json", Format.JSON),
    ],
)
async def test_the_url_goes_before_the_body_and_the_body_before_accept(
    body: bytes, query: bytes, accept: bytes, expected: Format
) -> None:
    request = await read(body, query=query, accept=accept)
    assert request.reply_format is expected
    assert "format" not in request.fields
    assert request.query == b""


async def test_a_format_that_is_the_platforms_own_is_left_to_it() -> None:
    in_body = await read(b'{"format": "csv"}')
    in_url = await read(b"{}", query=b"format=csv")
    assert in_body.untouched
    assert in_url.untouched
    assert bytes(in_body.fields["format"]) == b'"csv"'
    assert in_url.query == b"format=csv"
    assert not (await read(b"{}", query=b"reformat=csv")).untouched
    for spelt in (b"f%6frmat=csv", b"a=1;format=csv"):
        assert (await read(b"{}", query=spelt)).untouched


async def test_as_request_answers_xml_in_xml() -> None:
    intake = Intake(BodyLimits(64, 1000), None, OFFLOAD)
    assert intake.reply_format({b"content-type": b"application/xml"}, b"") is Format.XML
    assert intake.reply_format({b"content-type": b"application/json"}, b"") is Format.JSON
    assert intake.reply_format({}, b"") is Format.JSON


@pytest.mark.parametrize("content_type", [None, b"text/plain", b"application/json; charset=latin-1", b""])
def test_a_content_type_that_a_page_can_send_is_refused(content_type: bytes | None) -> None:
    headers = {} if content_type is None else {b"content-type": content_type}
    with pytest.raises(errors.CallError) as refused:
        INTAKE.head(TARGET, b"", headers, None, Format.JSON)
    assert refused.value.kind is errors.UNSUPPORTED_TYPE


async def test_a_malformed_body_is_refused_without_being_quoted() -> None:
    with pytest.raises(errors.CallError) as refused:
        await read(b'{"secret-thing": ')
    assert refused.value.kind is errors.BAD_REQUEST
    assert "secret-thing" not in refused.value.text


async def test_a_body_that_is_converted_beside_the_loop_means_the_same() -> None:
    filler = b"x" * 300_000
    assert bytes((await read(b'{"token": "t", "a": "' + filler + b'"}')).fields["a"]) == b'"' + filler + b'"'
    in_xml = await read(b"<xml><token>t</token><a>" + filler + b"</a></xml>", content_type=b"text/xml")
    assert bytes(in_xml.fields["a"]) == b'"' + filler + b'"'
