"""gateway.codec.gzipped: what was packed comes out, and nothing costs more than its limit."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec.gzipped import GzipError, TooLongError, inflate

TEXT = b'{"error": 0, "data": "\xd0\x96"}'


@given(text=st.binary(max_size=2000), level=st.integers(0, 9))
def test_what_was_packed_comes_out(text: bytes, level: int) -> None:
    assert inflate(gzip.compress(text, level), len(text)) == text


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 262_143, 262_144, 262_145, 1_000_000])
@pytest.mark.parametrize("pattern", [b"\0", bytes(range(256)) + b"abcdefg"], ids=["dense", "loose"])
def test_sizes_around_a_piece_come_out_whole(size: int, pattern: bytes) -> None:
    text = (pattern * (size // len(pattern) + 1))[:size]
    assert inflate(gzip.compress(text), size) == text


@given(texts=st.lists(st.binary(max_size=200), min_size=2, max_size=5))
def test_members_in_a_row_are_one_text(texts: list[bytes]) -> None:
    packed = b"".join(map(gzip.compress, texts))
    assert inflate(packed, 1000) == b"".join(texts)


@pytest.mark.parametrize("limit", [0, 1, len(TEXT) - 1])
def test_more_than_the_limit_is_given_up(limit: int) -> None:
    with pytest.raises(TooLongError, match=f"larger than {limit} bytes"):
        inflate(gzip.compress(TEXT), limit)


def test_the_limit_counts_all_members_together() -> None:
    with pytest.raises(TooLongError):
        inflate(gzip.compress(TEXT) * 2, 2 * len(TEXT) - 1)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"{}",
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:5],
        gzip.compress(TEXT) + b"more",
        gzip.compress(TEXT) + b"\0\0",
        gzip.compress(TEXT)[:-8] + b"\0" * 8,
        zlib.compress(TEXT),
    ],
    ids=["nothing", "no gzip", "cut", "cut in the head", "more", "padding", "wrong checksum", "deflate"],
)
def test_what_is_not_whole_is_refused(packed: bytes) -> None:
    with pytest.raises(GzipError) as caught:
        inflate(packed, 1000)
    assert not isinstance(caught.value, TooLongError)


def test_members_without_end_are_refused() -> None:
    with pytest.raises(GzipError, match="members"):
        inflate(gzip.compress(b"") * 1000, 1000)


@given(noise=st.binary(max_size=200))
def test_noise_is_refused_or_text_never_another_error(noise: bytes) -> None:
    with suppress(GzipError):
        assert len(inflate(b"\x1f\x8b\x08" + noise, 100)) <= 100
