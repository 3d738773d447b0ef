"""gateway.presentation: what the caller gets."""

import json
from dataclasses import replace
from typing import cast
from xml.etree import ElementTree

import pytest

from gateway import errors, presentation
from gateway.catalogue.model import ApiMethod
from gateway.codec import envelope
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.presentation import Presentation
from gateway.records import FailureKind
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome
from tests.builders import OFFLOAD, READ, WRITE, request, trail

pytestmark = pytest.mark.anyio

RULES = Presentation(BodyLimits(64, 1000), OFFLOAD, lambda data: data.replace(b"s3cret-token", b"***"))


def reply(
    body: bytes, came_as: Format | None = Format.JSON, content_type: bytes = b"application/json"
) -> Reply:
    return Reply(200, content_type, body, came_as, envelope.read(body), duplicate=True, retry_after=b"7")


async def test_a_reply_in_the_right_format_is_not_touched() -> None:
    body, notes = b'{"error": 0,  "n": 1.10}', trail()
    answer = await RULES.of_reply(request(), reply(body), notes)
    assert (answer.status, answer.body, answer.content_type) == (200, body, b"application/json")
    assert answer.headers == ((b"duplicate-request", b"true"), (b"retry-after", b"7"))
    assert notes.conversions == ()


async def test_a_reply_is_converted_for_an_xml_caller() -> None:
    notes = trail()
    answer = await RULES.of_reply(
        request(reply_format=Format.XML), reply(b'{"error": 0, "a": [1, 2]}'), notes
    )
    root = ElementTree.fromstring(answer.body)
    assert [(child.tag, child.text) for child in root] == [("error", "0"), ("a", "1"), ("a", "2")]
    assert answer.content_type == b"application/xml; charset=utf-8"
    assert notes.conversions == ("json_to_xml",)


async def test_an_xml_reply_is_converted_for_a_json_caller() -> None:
    notes = trail()
    found = reply(b"<xml><error>0</error><a>1</a></xml>", Format.XML, b"text/xml")
    answer = await RULES.of_reply(request(), found, notes)
    assert json.loads(answer.body) == {"error": 0, "a": "1"}
    assert notes.conversions == ("xml_to_json",)


async def test_a_file_of_the_platforms_own_format_passes_as_it_is() -> None:
    answer = await RULES.of_reply(request(untouched=True), reply(b"a;b\n1;2\n", None, b"text/csv"), trail())
    assert (answer.body, answer.content_type) == (b"a;b\n1;2\n", b"text/csv")


async def test_a_token_that_the_platform_echoes_is_masked_also_where_only_the_conversion_shows_it() -> None:
    plain = await RULES.of_reply(request(), reply(b'{"error": 0, "echo": "s3cret-token"}'), trail())
    assert b"s3cret" not in plain.body
    escaped = reply(b'{"error": 0, "echo": "s3cret\\u002dtoken"}')
    converted = await RULES.of_reply(request(reply_format=Format.XML), escaped, trail())
    assert b"s3cret" not in converted.body


@pytest.mark.parametrize("kept", [False, True])
def test_a_token_in_a_reply_that_is_given_at_once_is_masked_kept_or_not(kept: bool) -> None:
    """Only where the reply is kept may it be remembered: a caller may have asked for no trace."""
    looked: list[bytes] = []

    def scrub_kept(data: bytes) -> bytes:
        looked.append(data)
        return RULES.scrub(data)

    found = reply(b'{"error": 0, "echo": "s3cret-token"}')
    for rules in (RULES, replace(RULES, scrub_kept=scrub_kept)):
        answer = rules.at_once(found, Format.JSON, kept=kept)
        assert answer is not None
        assert answer.body == b'{"error": 0, "echo": "***"}'
    assert looked == [found.body] * kept


@pytest.mark.parametrize("method", [READ, WRITE], ids=["read", "write"])
async def test_who_wrote_is_told_that_it_ran_where_the_reply_cannot_be_converted(method: ApiMethod) -> None:
    few = Presentation(BodyLimits(2, 1000), OFFLOAD, lambda data: data)
    found = reply(b"<xml><error>0</error><a><b><c>1</c></b></a></xml>", Format.XML, b"text/xml")
    with pytest.raises(errors.CallError, match="cannot be converted") as refused:
        await few.of_reply(request(method), found, trail())
    told = "; the platform ran the call and answered with code"
    assert (told in refused.value.text) is (method is WRITE)


@pytest.mark.parametrize("wanted", list(Format))
def test_an_own_error_has_the_platforms_shape_in_the_callers_format(wanted: Format) -> None:
    error = errors.CallError(errors.OVERLOADED, "too many <calls>", {"Retry-After": "1"})
    answer = RULES.of_error(error, wanted)
    assert answer.status == 503
    assert dict(answer.headers) == {
        b"retry-after": b"1",
        b"proxy-status": b"gateway; error=connection_limit_reached",
    }
    if wanted is Format.JSON:
        assert json.loads(answer.body) == {"error": 503, "error_text": "gateway: too many <calls>"}
    else:
        root = ElementTree.fromstring(answer.body)
        assert (root.findtext("error"), root.findtext("error_text")) == ("503", "gateway: too many <calls>")


@pytest.mark.parametrize(
    ("failure", "modifies", "repeatable", "kind", "says"),
    [
        ("connect", True, True, errors.UPSTREAM_UNREACHABLE, "nothing was sent"),
        ("timeout", True, True, errors.CONNECT_TIMEOUT, "nothing was sent"),
        ("tls", False, True, errors.UPSTREAM_TLS, "nothing was sent"),
        ("timeout, written", True, True, errors.UPSTREAM_TIMEOUT, "with the same Request-ID"),
        ("reset, written", True, True, errors.UPSTREAM_RESET, "with the same Request-ID"),
        ("protocol, written", True, False, errors.UPSTREAM_PROTOCOL, "check before repeating"),
        ("reset, written", False, True, errors.UPSTREAM_RESET, "what happened"),
    ],
)
def test_a_failure_says_whether_anything_was_sent_and_whether_repeating_is_safe(
    failure: str, modifies: bool, repeatable: bool, kind: errors.ErrorKind, says: str
) -> None:
    how, _, written = failure.partition(", ")
    error = AttemptError(cast(FailureKind, how), written=bool(written), text="what happened")
    unknown = modifies and error.written
    told = presentation.failure(
        Outcome(failure=error), modifies=modifies, unknown=unknown, repeatable=repeatable
    )
    assert told.kind is kind
    assert says in told.text
    assert ("unknown" in told.text) == unknown
