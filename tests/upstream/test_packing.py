"""Replies that outlive the process: they come back as they were, but for tokens."""

import msgspec
import pytest

from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format
from gateway.upstream.packing import ReplyPacker
from gateway.upstream.reply import Reply

TOKEN = b'a-token-with-a-quote"'
PLAIN = Reply(200, b"text/csv", b"a;b\r\n\xff\x00", None, Envelope(), False, None)
FULL = Reply(
    status=503,
    content_type=b"application/xml",
    body=b"<xml/>",
    format=Format.XML,
    envelope=Envelope(
        code=450,
        error_text="für Ödön \ud800",
        item_codes=((0, 1), (None, 2), (404, 1)),
        is_object=True,
        is_json=False,
    ),
    duplicate=True,
    retry_after=b"17",
)


def masked(data: bytes) -> bytes:
    return data.replace(TOKEN, b"***")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(PLAIN, id="bytes that are no text"),
        pytest.param(
            msgspec.structs.replace(FULL, envelope=msgspec.structs.replace(FULL.envelope, error_text="ü")),
            id="every field",
        ),
    ],
)
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    packer = ReplyPacker(masked)

    assert packer.unpack(packer.pack(reply)) == reply


def test_text_that_has_no_utf_8_loses_only_that() -> None:
    packer = ReplyPacker(masked)

    assert packer.unpack(packer.pack(FULL)).envelope.error_text == "für Ödön ?"


def test_a_token_that_the_platform_echoed_is_masked_everywhere() -> None:
    echoing = Reply(
        status=200,
        content_type=b"text/" + TOKEN,
        body=b'{"error_text": "' + TOKEN + b'"}',
        format=Format.JSON,
        envelope=Envelope(code=400, error_text=f"token {TOKEN.decode()} is bad"),
        duplicate=False,
        retry_after=TOKEN,
    )
    packer = ReplyPacker(masked)

    packed = packer.pack(echoing)

    assert TOKEN not in packed
    assert packer.unpack(packed) == Reply(
        status=200,
        content_type=b"text/***",
        body=b'{"error_text": "***"}',
        format=Format.JSON,
        envelope=Envelope(code=400, error_text="token *** is bad"),
        duplicate=False,
        retry_after=b"***",
    )


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xc1", b"no reply"])
def test_what_is_no_reply_is_told(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        ReplyPacker(bytes).unpack(data)
