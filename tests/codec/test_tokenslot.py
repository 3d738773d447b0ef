import json
import sys

import msgspec
import pytest

from gateway.codec import jsonbody, tokenslot
from gateway.codec.body import BodyLimits

LIMITS = BodyLimits(depth=64, elements=2_000_000)


@pytest.mark.parametrize(
    "name", ["token", "Token", "TOKEN", "tOkEn", "to\u212aen", "TO\u212aEN", "token\0", "Token\0x"]
)
def test_every_spelling_that_folds_to_token_is_taken_out(name: str) -> None:
    fields = {name: msgspec.Raw(b'"theirs"'), "a": msgspec.Raw(b"1")}

    assert list(tokenslot.strip(fields)) == ["a"]
    assert jsonbody.encode(tokenslot.place(fields, "ours")) == b'{"token":"ours","a":1}'


@pytest.mark.parametrize(
    "name",
    [
        "rtoken",
        "tokens",
        "token ",
        " token",
        "toke",
        "tokеn",
        "t",
        "",
        "to-en",
        "tokeń",
        "\0token",
        "tok\0en",
    ],
)
def test_other_names_stay(name: str) -> None:
    fields = {name: msgspec.Raw(b"1")}

    assert tokenslot.strip(fields) == fields


def test_no_character_folds_to_more_than_one_letter_of_token() -> None:
    """Names of another length than five are not looked at: this is why they need not be."""
    parts = {"token"[start:end] for start in range(5) for end in range(start + 2, 6)}
    folded = {chr(point).casefold() for point in range(sys.maxunicode + 1)}

    assert not parts & folded


def test_a_doubled_token_is_replaced() -> None:
    fields = jsonbody.decode(rb'{"token":"x","a":1.10,"\u0074oken":"y","Token":["z"]}', LIMITS)

    assert jsonbody.encode(tokenslot.place(fields, "ours")) == b'{"token":"ours","a":1.10}'


@pytest.mark.parametrize("token", ['"', "\\", '","admin":"', "é😀", "\n\x00", "</token>", ""])
def test_any_token_is_one_json_string(token: str) -> None:
    placed = jsonbody.encode(tokenslot.place({"a": msgspec.Raw(b"1")}, token))

    assert json.loads(placed) == {"token": token, "a": 1}
    assert tokenslot.put_first(b'{"a":1}', token) == placed


def test_into_a_call_without_fields_the_token_goes_alone() -> None:
    assert (
        jsonbody.encode(tokenslot.place({}, "ours"))
        == tokenslot.put_first(b"{}", "ours")
        == b'{"token":"ours"}'
    )


def test_the_fields_given_are_left_as_they_are() -> None:
    fields = {"token": msgspec.Raw(b'"theirs"')}
    tokenslot.strip(fields)
    tokenslot.place(fields, "ours")

    assert fields == {"token": msgspec.Raw(b'"theirs"')}
