import json

import msgspec
import pytest

from gateway.codec import jsontree
from gateway.codec.body import MalformedBodyError


@pytest.mark.parametrize("text", ["1.10", "1e400", "-0.0", "1E+2", "0.1000000000000000055511151231257827"])
def test_a_number_that_is_no_integer_keeps_its_spelling(text: str) -> None:
    assert jsontree.parse(text.encode()) == msgspec.Raw(text)
    assert jsontree.write(jsontree.parse(f"[{text}]".encode())) == f"[{text}]".encode()


@pytest.mark.parametrize("value", [0, -1, 2**64, -(2**63) - 1, 10**30, 10**4299])
def test_an_integer_of_any_length_is_exact(value: int) -> None:
    assert jsontree.parse(json.dumps(value).encode()) == value


def test_the_rest_is_what_the_standard_library_reads() -> None:
    text = '{"b":[null,true,false,"é\\u00e9\\n"],"a":{"":{}},"c":[]}'

    assert jsontree.parse(text.encode()) == json.loads(text)


def test_a_raw_value_is_read_like_bytes() -> None:
    assert jsontree.parse(msgspec.Raw(b'["a"]')) == ["a"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"9" * 4301, "an integer has too many digits", id="long integer"),
        pytest.param(b"[" * 100_000, "the body is nested too deep", id="deep"),
        pytest.param(b'["\xff"]', "the body is not UTF-8", id="not UTF-8"),
        pytest.param(b"[1", "the JSON is malformed: it ends too early, .*", id="cut"),
        pytest.param(b"[NaN]", "the JSON is malformed: .*", id="NaN"),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(MalformedBodyError, match=f"^{why}$"):
        jsontree.parse(body)


def test_keys_keep_their_order_and_are_sorted_on_demand_at_every_level() -> None:
    tree = jsontree.parse(b'{"b":{"z":1,"y":1.50},"a":[{"d":1,"c":2}]}')

    assert jsontree.write(tree) == b'{"b":{"z":1,"y":1.50},"a":[{"d":1,"c":2}]}'
    assert jsontree.write_sorted(tree) == b'{"a":[{"c":2,"d":1}],"b":{"y":1.50,"z":1}}'


@pytest.mark.parametrize("text", ["0", "1", "-1", "10", "12345678901234567890", "9" * 5000])
def test_canonical_integers(text: str) -> None:
    assert jsontree.is_integer(text)


@pytest.mark.parametrize(
    "text", ["", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "١", "²", "--1", "1_0"]
)
def test_other_spellings_are_no_integers(text: str) -> None:
    assert not jsontree.is_integer(text)


def test_fields_are_the_top_level_written_as_json() -> None:
    fields = jsontree.to_fields({"b": [1, msgspec.Raw(b"1.10")], "a": None})

    assert {name: bytes(raw) for name, raw in fields.items()} == {"b": b"[1,1.10]", "a": b"null"}
    assert list(fields) == ["b", "a"]
