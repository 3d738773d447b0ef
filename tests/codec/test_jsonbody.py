import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import jsonbody
from gateway.codec.body import BodyLimits, MalformedBodyError

LIMITS = BodyLimits(depth=64, elements=2_000_000)


def values(body: bytes, limits: BodyLimits = LIMITS) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in jsonbody.decode(body, limits).items()}


def nested(levels: int, opening: bytes = b"[", inner: bytes = b"", closing: bytes = b"]") -> bytes:
    """An object of so many levels, itself the first."""
    return b'{"a":' + opening * (levels - 1) + inner + closing * (levels - 1) + b"}"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"1.10", id="trailing zero"),
        pytest.param(b"1E+2", id="exponent"),
        pytest.param(b"1e400", id="beyond a float"),
        pytest.param(b"-0", id="minus zero"),
        pytest.param(b"123456789012345678901234567890", id="30 digits"),
        pytest.param(b"9" * 1000, id="1000 digits"),
        pytest.param(b'{"z" : 1,  "a":[1 , 2]}', id="key order and spacing"),
        pytest.param(b'{"a":1,"a":2}', id="doubled inner keys"),
        pytest.param(rb'"\u00e9\/\ud83d\ude00"', id="escapes"),
        pytest.param('"é😀\u007f"'.encode(), id="unescaped"),
        pytest.param(b"null", id="null"),
        pytest.param(b'""', id="empty text"),
    ],
)
def test_a_value_survives_byte_for_byte(value: bytes) -> None:
    fields = jsonbody.decode(b'{ "a" : ' + value + b' , "b":1}', LIMITS)

    assert bytes(fields["a"]) == value
    assert jsonbody.encode(fields) == b'{"a":' + value + b',"b":1}'


def test_the_order_of_fields_is_kept() -> None:
    assert list(values(b'{"b":1,"a":2,"c":3}')) == ["b", "a", "c"]


@pytest.mark.parametrize(
    "again", [b'"token"', rb'"\u0074oken"', rb'"tok\u0065n"', rb'"\u0074\u006f\u006b\u0065\u006e"']
)
def test_of_a_doubled_name_the_last_value_counts_however_it_is_spelt(again: bytes) -> None:
    assert values(b'{"token":1,"a":2,' + again + b":3}") == {"token": b"3", "a": b"2"}


@pytest.mark.parametrize("body", [b"{}", b" \t\r\n{}\n", b'{"":1}', b'{"a":[]}', '{"é":"\u2028"}'.encode()])
def test_odd_but_valid_bodies_pass(body: bytes) -> None:
    decoded = jsonbody.decode(body, LIMITS)

    assert json.loads(jsonbody.encode(decoded)) == json.loads(body)


@pytest.mark.parametrize("body", [b"[]", b"[1]", b'"a"', b"1", b"null", b"true", b" [ ] "])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body is not a JSON object$"):
        jsonbody.decode(body, LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="open"),
        pytest.param(b'{"a"', id="name only"),
        pytest.param(b'{"a":', id="no value"),
        pytest.param(b'{"a":1', id="not closed"),
        pytest.param(b'{"a":1]', id="closed wrong"),
        pytest.param(b'{"a":1}}', id="closed twice"),
        pytest.param(b'{"a":1} x', id="something behind"),
        pytest.param(b'{"a":1}{"a":1}', id="two bodies"),
        pytest.param(b'{"a":1,}', id="trailing comma"),
        pytest.param(b'{,"a":1}', id="leading comma"),
        pytest.param(b'{"a":[1,]}', id="trailing comma in a list"),
        pytest.param(b'{"a":[1 2]}', id="no comma"),
        pytest.param(b'{"a" 1}', id="no colon"),
        pytest.param(b'{"a":1 "b":2}', id="no comma between fields"),
        pytest.param(b"{a:1}", id="bare name"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b"{1:1}", id="number as a name"),
        pytest.param(b'{"a":01}', id="leading zero"),
        pytest.param(b'{"a":+1}', id="plus"),
        pytest.param(b'{"a":.5}', id="no digit before the point"),
        pytest.param(b'{"a":5.}', id="no digit behind the point"),
        pytest.param(b'{"a":1e}', id="empty exponent"),
        pytest.param(b'{"a":-}', id="minus only"),
        pytest.param(b'{"a":0x1}', id="hexadecimal"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":-Infinity}', id="Infinity"),
        pytest.param(b'{"a":[NaN]}', id="inner NaN"),
        pytest.param(b'{"a":True}', id="Python's True"),
        pytest.param(b'{"a":nul}', id="cut literal"),
        pytest.param(b'{"a":"\n"}', id="bare line break in a string"),
        pytest.param(b'{"a":["\x01"]}', id="bare control character"),
        pytest.param(rb'{"a":"\x41"}', id="unknown escape"),
        pytest.param(rb'{"a":"\u12"}', id="short escape"),
        pytest.param(rb'{"a":"\"}', id="string not closed"),
        pytest.param(b'{"a":1/**/}', id="comment"),
        pytest.param(b'{"a":1}//', id="comment behind"),
        pytest.param(b'{"a":\x0c1}', id="form feed as a blank"),
        pytest.param('{"a":\u00a01}'.encode(), id="no-break space as a blank"),
        pytest.param(b'{"a":1}\0', id="NUL behind"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', id="byte order mark"),
        pytest.param('{"a":1}'.encode("utf-16-le"), id="UTF-16"),
        pytest.param(rb'{"a":"\ud800"}', id="half of a surrogate pair"),
        pytest.param(rb'{"a":["\udc00\ud800"]}', id="surrogates the wrong way round"),
        pytest.param(rb'{"\ud800":1}', id="half of a pair in a name"),
        pytest.param(rb'{"a":{"\ud800x":1}}', id="half of a pair in an inner name"),
        pytest.param(b'{"a":{"b":}}', id="inner field without a value"),
    ],
)
def test_malformed_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the JSON is malformed: "):
        jsonbody.decode(body, LIMITS)


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n"])
def test_an_empty_body_is_said_to_be_empty(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body is empty$"):
        jsonbody.decode(body, LIMITS)


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":["\xed\xa0\x80"]}', b'{"a":"\xc3"}'])
def test_bytes_that_are_not_utf8_are_refused_at_any_depth(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body is not UTF-8"):
        jsonbody.decode(body, LIMITS)


@pytest.mark.parametrize(
    "body", [b'{"password":"hunter2"', b'{"a":"hunter2\xff"}', b'["hunter2"]', b'{"hunter2":hunter2}']
)
def test_a_refusal_never_quotes_the_body(body: bytes) -> None:
    with pytest.raises(MalformedBodyError) as refusal:
        jsonbody.decode(body, LIMITS)

    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


TOWERS = [
    pytest.param(b"[", b"", b"]", id="arrays"),
    pytest.param(b'{"a":', b"1", b"}", id="objects"),
    pytest.param(b'[{"a":[1,2],"b":', b"0", b"}]", id="mixed"),
    pytest.param(b' [ "[[{{" , ', b"1", b" ] ", id="with brackets in strings"),
    pytest.param(rb'{"\"[\\":', b"1", b"}", id="with escaped quotes"),
]


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize(("opening", "inner", "closing"), TOWERS)
def test_64_levels_pass_and_one_more_is_refused(opening: bytes, inner: bytes, closing: bytes) -> None:
    body = nested(20, opening, inner, closing)
    depth = depth_of(json.loads(body))

    jsonbody.decode(body, BodyLimits(depth=depth, elements=1000))
    with pytest.raises(MalformedBodyError, match=f"^the body is nested deeper than {depth - 1} levels$"):
        jsonbody.decode(body, BodyLimits(depth=depth - 1, elements=1000))


def test_the_limit_of_64_levels_is_exact() -> None:
    jsonbody.decode(nested(64), LIMITS)
    with pytest.raises(MalformedBodyError, match=r"^the body is nested deeper than 64 levels$"):
        jsonbody.decode(nested(65), LIMITS)


@pytest.mark.parametrize("levels", [1_000, 100_000, 3_000_000])
def test_very_deep_bodies_do_not_exhaust_the_stack(levels: int) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body is nested deeper than 64 levels$"):
        jsonbody.decode(nested(levels), LIMITS)


NASTY = st.text(st.sampled_from('[]{},:"\\ n'))
VALUES = st.recursive(
    NASTY | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NASTY, inner, max_size=3),
)


@given(st.dictionaries(NASTY, VALUES, max_size=3), st.sampled_from([None, 1]))
def test_the_depth_is_the_one_another_parser_finds(body: dict[str, object], indent: int | None) -> None:
    text = json.dumps(body, indent=indent).encode()
    depth = depth_of(body)

    jsonbody.decode(text, BodyLimits(depth, elements=1000))
    with pytest.raises(MalformedBodyError):
        jsonbody.decode(text, BodyLimits(depth - 1, elements=1000))


def test_many_brackets_side_by_side_are_not_deep() -> None:
    jsonbody.decode(b'{"a":[' + b",".join([b"[[]]", b'{"b":{}}'] * 1000) + b"]}", BodyLimits(4, 100_000))


def test_brackets_in_strings_are_not_structure() -> None:
    brackets = "[{" * 5000
    jsonbody.decode(json.dumps({"a": brackets, brackets: ["]}\\", '"[', brackets]}).encode(), LIMITS)


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize("text", [b"]", b"]]]]", b"[", b"}", rb"]\"", rb"\\", b""])
def test_brackets_in_strings_hide_no_depth(text: bytes, size: int) -> None:
    """Whether the body is small or large: they are told in different ways."""
    padding = b'"p":"' + b"x" * size + b'",'
    levels = (b'["' + text + b'","' + text + b'",') * 64
    with pytest.raises(MalformedBodyError, match=r"^the body is nested deeper than 64 levels$"):
        values(b"{" + padding + b'"a":' + levels + b"1" + b"]" * 64 + b"}")
    inner = levels.removeprefix(b'["' + text + b'","' + text + b'",')
    values(b"{" + padding + b'"a":' + inner + b"1" + b"]" * 63 + b"}")


def test_the_limit_of_elements_is_exact() -> None:
    body = b'{"a":[' + b",".join([b'"x,y[z"'] * 100) + b"]}"  # two brackets and 99 commas

    jsonbody.decode(body, BodyLimits(depth=64, elements=101))
    with pytest.raises(MalformedBodyError, match=r"^the body has more than 100 elements$"):
        jsonbody.decode(body, BodyLimits(depth=64, elements=100))


def test_more_than_two_million_elements_are_refused() -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body has more than 2000000 elements$"):
        jsonbody.decode(b'{"a":[' + b"1," * 2_000_000 + b"1]}", LIMITS)


@pytest.mark.parametrize(
    "number",
    [b"9" * 1000, b"-" + b"9" * 999, b"1." + b"0" * 998, b"1e" + b"0" * 998],
    ids=["whole", "negative", "fraction", "exponent"],
)
def test_a_number_of_1000_characters_passes_and_a_longer_one_is_refused(number: bytes) -> None:
    jsonbody.decode(b'{"a":[{"b":' + number + b"}]}", LIMITS)
    with pytest.raises(MalformedBodyError, match=r"^a number has more than 1000 characters$"):
        jsonbody.decode(b'{"a":[{"b":' + number + b"0}]}", LIMITS)


@pytest.mark.parametrize("at", range(33))
def test_a_long_number_is_found_wherever_it_begins(at: int) -> None:
    padding = b" " * at
    values(b'{"a":' + padding + b"9" * 1000 + b"}")
    with pytest.raises(MalformedBodyError, match=r"^a number has more than 1000 characters$"):
        values(b'{"a":' + padding + b"9" * 1001 + b"}")


def test_a_long_text_of_digits_is_no_number() -> None:
    jsonbody.decode(b'{"a":"' + b"9" * 5000 + rb"\"" + b"9" * 5000 + b'","b":1}', LIMITS)


def test_10000_parameters_pass_and_one_more_is_refused() -> None:
    def named(count: int) -> bytes:
        return json.dumps({str(number): 0 for number in range(count)}).encode()

    jsonbody.decode(named(10_000), LIMITS)
    with pytest.raises(MalformedBodyError, match=r"^the body has more than 10000 parameters$"):
        jsonbody.decode(named(10_001), LIMITS)


def test_a_text_of_11_mb_passes_whole() -> None:
    text = b'"' + b"x,[" * 3_700_000 + b'"'

    assert values(b'{"a":' + text + b"}") == {"a": text}


def test_a_name_is_written_so_that_another_parser_reads_it() -> None:
    names = ['"', "\\", "\n", "\x00", "é", "\u2028", "😀", ""]
    fields = {name: msgspec.Raw(b"1") for name in names}

    assert list(json.loads(jsonbody.encode(fields))) == names
