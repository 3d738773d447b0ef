"""What counts as the platform's answer. Refuses what a front server says in its place: HTML, nothing,
garbage."""

import msgspec

from gateway.codec import envelope
from gateway.codec.body import BodyLimits
from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format
from gateway.upstream.reply_head import ReplyHead

_JSON, _XML = Format.JSON, Format.XML

TOKEN_REJECTED = 401
"""The platform's code for a token that it does not take. The call was not run."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The platform's answer, its body as it came."""

    status: int
    content_type: bytes
    body: bytes
    format: Format | None  # None: the platform's own affair (csv)
    envelope: Envelope
    duplicate: bool  # the platform had seen the call before and answers it again
    retry_after: bytes | None

    @property
    def rejects_token(self) -> bool:
        return self.envelope.code == TOKEN_REJECTED


Enclosed = tuple[Format | None, Envelope]
"""Which of our formats a reply's body is, None for neither; and what it says about the call."""


class NoAnswerError(Exception):
    """Something came back, but not from the platform's API."""

    def __init__(self, text: str, status: int, retry_after: bytes | None) -> None:
        super().__init__(f"{text} (HTTP {status})")
        self.status = status
        self.retry_after = retry_after


def read_reply(status: int, head: ReplyHead, body: bytes, untouched: bool, enclosed: Enclosed) -> Reply:
    """Raises NoAnswerError. With `untouched` (csv) the body may be anything but HTML. `enclosed` is what
    `read_body` found in it."""
    found, read = enclosed
    if head.content_type.lower().startswith(b"text/html") or (found is not _JSON and _is_html(body)):
        text = "a front server of the platform answered with an HTML page"
        raise NoAnswerError(text, status, head.retry_after)
    if untouched and not read.is_object:
        found = None  # a file of one column may look like a JSON number
    elif found is None:
        raise NoAnswerError("what came back is neither JSON nor XML", status, head.retry_after)
    return Reply(status, head.content_type, body, found, read, head.duplicate, head.retry_after)


def read_body(body: bytes, item_results: str | None, limits: BodyLimits) -> Enclosed:
    """Which of our formats it is, told by the body itself, since front servers relabel; and its envelope."""
    if body.lstrip()[:1] == b"<":
        read = envelope.read_xml(body, limits, item_results)
        return (_XML if read.is_object else None), read
    read = envelope.read(body, item_results)
    return (_JSON if read.is_json else None), read


def _is_html(body: bytes) -> bool:
    return body[:64].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def answer_size(reply: object) -> int:
    """The bytes that a kept reply takes."""
    assert isinstance(reply, Reply)
    return len(reply.body) + len(reply.content_type)
