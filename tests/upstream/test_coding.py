"""gateway.upstream.coding: gzip is taken off a reply, whoever asked for it; all else is no answer."""

import gzip

import pytest

from gateway.codec.gzipped import GzipError, TooLongError
from gateway.upstream.coding import plain
from gateway.upstream.reply_head import read_head

TEXT = b'{"error": 0}'
PACKED = gzip.compress(TEXT)


def header(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"Content-Type", b"application/json"), (b"Content-Encoding", value), (b"X-Other", b"1")]


@pytest.mark.parametrize("headers", [[], header(b"identity"), header(b"")], ids=["none", "identity", "empty"])
def test_most_replies_have_no_coding(headers: list[tuple[bytes, bytes]]) -> None:
    assert read_head(headers).coding == b""


@pytest.mark.parametrize("value", [b"gzip", b"GZIP", b"x-gzip", b" gzip "])
def test_gzip_is_taken_off(value: bytes) -> None:
    assert plain(PACKED, read_head(header(value)).coding, 1000) == TEXT


@pytest.mark.parametrize("value", [b"br", b"deflate", b"gzip, gzip", b"gzip, br", b"aws-chunked"])
def test_any_other_coding_is_refused(value: bytes) -> None:
    with pytest.raises(GzipError, match="nobody asked for"):
        plain(PACKED, read_head(header(value)).coding, 1000)


def test_two_lines_are_two_codings() -> None:
    with pytest.raises(GzipError):
        plain(PACKED, read_head([*header(b"gzip"), (b"content-encoding", b"gzip")]).coding, 1000)


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(TooLongError, match="larger than 1000 bytes"):
        plain(gzip.compress(b"\0" * 1001), b"gzip", 1000)
