"""A secret shows its value to nobody who does not ask for it by name."""

import copy
import pickle
import traceback
from collections.abc import Callable

import pytest

from gateway.errors import TokenMissingError
from gateway.tokens.secret import Secret

VALUE = "bfc505684d774e52"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda secret: f"{secret}", id="f-string"),
        pytest.param(lambda secret: f"{secret!r:>20}", id="f-string with width"),
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031 - what logging does
        pytest.param(lambda secret: str([secret]), id="inside a list"),
    ],
)
def test_the_value_is_not_in_any_rendering(shown: Callable[[object], str]) -> None:
    text = shown(Secret(VALUE))

    assert VALUE not in text
    assert "***" in text


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_neither_pickled_nor_copied(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as refusal:
        take(Secret(VALUE))

    assert VALUE not in str(refusal.value)


def test_reveal_gives_the_value() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert hash(Secret(VALUE)) == hash(Secret(VALUE))
    assert Secret(VALUE) != Secret(VALUE + "x")
    assert Secret(VALUE) != VALUE


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        pytest.param(b"bfc505684d774e52", "bfc505684d774e52", id="as it is"),
        pytest.param(b"bfc505684d774e52\n", "bfc505684d774e52", id="newline of an editor"),
        pytest.param(b"bfc505684d774e52\r\n", "bfc505684d774e52", id="newline of Windows"),
        pytest.param(b"12345678", "12345678", id="eight bytes are enough"),
        pytest.param("säüöé".encode(), "säüöé", id="bytes count, not characters"),
        pytest.param(b'a"b<c>&d/e+%20 f', 'a"b<c>&d/e+%20 f', id="signs and an inner space"),
        pytest.param(b" 12345678 ", " 12345678 ", id="spaces are part of it"),
    ],
)
def test_a_usable_token_is_taken(raw: bytes, value: str) -> None:
    assert Secret.parse(raw, "env T").reveal() == value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"", "no token", id="empty"),
        pytest.param(b"\n", "no token", id="only a newline"),
        pytest.param(b"1234567", "shorter than 8 bytes", id="seven bytes"),
        pytest.param(b"1234567\n", "shorter than 8 bytes", id="the newline does not count"),
        pytest.param(b"12345678\x00", "unprintable", id="NUL"),
        pytest.param(b"1234\n5678", "unprintable", id="two lines"),
        pytest.param(b"1234\t5678", "unprintable", id="tab"),
        pytest.param(b"\xef\xbb\xbf12345678", "unprintable", id="byte order mark"),
        pytest.param(b"12345678\xff", "not UTF-8", id="not UTF-8"),
    ],
)
def test_an_unusable_token_is_refused_without_showing_it(raw: bytes, reason: str) -> None:
    with pytest.raises(TokenMissingError, match=reason) as refusal:
        Secret.parse(raw, "file /run/secrets/token")

    shown = "".join(traceback.format_exception(refusal.value))
    assert "file /run/secrets/token: " in str(refusal.value)
    assert "1234" not in shown
