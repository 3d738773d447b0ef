import dataclasses

import pytest

from gateway.codec.body import BodyLimits, MalformedBodyError, require_utf8


def test_utf8_passes() -> None:
    require_utf8("{}é😀".encode())


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param(b'{"a":"\xff"}', 6, id="no UTF-8 byte"),
        pytest.param(b'{"a":"\xc3', 6, id="cut short"),
        pytest.param(b"\xed\xa0\x80", 0, id="encoded surrogate"),
        pytest.param(b"\xc0\xaf", 0, id="overlong"),
        pytest.param('{"a":1}'.encode("utf-16"), 0, id="UTF-16 with its mark"),
    ],
)
def test_other_bytes_are_refused_with_their_place(body: bytes, place: int) -> None:
    with pytest.raises(MalformedBodyError, match=rf"^the body is not UTF-8 \(byte {place}\)$"):
        require_utf8(body)


def test_limits_are_a_value() -> None:
    limits = BodyLimits(depth=64, elements=10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.depth = 65  # type: ignore[misc]  # that it cannot be written is the point
