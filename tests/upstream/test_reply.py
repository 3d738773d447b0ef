"""gateway.upstream.reply: what counts as the platform's answer."""

import pytest

from gateway.catalogue.model import ApiMethod, Effect
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.upstream.reply import NoAnswerError, Reply, read_body, read_reply
from gateway.upstream.reply_head import read_head

BATCH = ApiMethod("profiles/add_batch", Effect.MODIFY, item_results="result")


def read(body: bytes, *headers: tuple[bytes, bytes], status: int = 200, untouched: bool = False) -> Reply:
    enclosed = read_body(body, BATCH.item_results, BodyLimits(64, 1000))
    return read_reply(status, read_head(headers), body, untouched, enclosed)


@pytest.mark.parametrize(
    ("body", "came_as", "code"),
    [
        (b'{"error": 404}', Format.JSON, 404),
        (b'  {"error": "404"}', Format.JSON, 404),
        (b'{"Status": "Ok"}', Format.JSON, None),
        (b"[1]", Format.JSON, None),
        (b"<xml><error>404</error></xml>", Format.XML, 404),
        (b"<?xml version='1.0'?>\n<result><error>0</error></result>", Format.XML, 0),
    ],
)
def test_json_and_xml_are_answers_whatever_their_label(
    body: bytes, came_as: Format, code: int | None
) -> None:
    reply = read(body, (b"Content-Type", b"text/plain"))
    assert (reply.format, reply.envelope.code, reply.body) == (came_as, code, body)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html><body>502 Bad Gateway</body></html>", b"text/html"),
        (b"<!DOCTYPE html><html></html>", b"application/json"),
        (b"\n <HTML>", b""),
        (b'{"error": 0}', b"text/html; charset=utf-8"),
        (b"", b"application/json"),
        (b"Service Unavailable", b"text/plain"),
        (b'{"error": 0', b"application/json"),
        (b"<xml><error>0</error>", b"application/xml"),
        (b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><error>0</error></xml>', b"application/xml"),
    ],
)
def test_what_a_front_server_says_is_no_answer(body: bytes, content_type: bytes) -> None:
    with pytest.raises(NoAnswerError):
        read(body, (b"content-type", content_type), status=502)


def test_a_file_may_be_anything_but_html() -> None:
    reply = read(b"a;b\n", (b"content-type", b"text/csv"), untouched=True)
    assert (reply.format, reply.content_type, reply.envelope.code) == (None, b"text/csv", None)
    assert read(b"123", untouched=True).format is None
    assert read(b'{"error": 400}', untouched=True).format is Format.JSON
    with pytest.raises(NoAnswerError):
        read(b"<html>", untouched=True)


@pytest.mark.parametrize("name", [b"Duplicate-Request", b"X-Duplicate-Request"])
def test_the_platforms_word_that_it_is_a_duplicate_is_heard(name: bytes) -> None:
    assert read(b'{"error": 0}', (name, b"true")).duplicate
    assert not read(b'{"error": 0}', (name, b"false")).duplicate


def test_the_codes_of_a_batch_are_read_item_by_item() -> None:
    reply = read(b'{"error": 0, "result": [{"error": 0}, {"error": 409}, {"x": 1}]}', (b"Retry-After", b"3"))
    assert reply.envelope.item_codes == ((0, 1), (409, 1), (None, 1))
    assert reply.retry_after == b"3"
