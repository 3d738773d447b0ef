import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.shape import OBJECT, Kind, Shape
from gateway.codec import jsonbody, tokenslot, xmlbody
from gateway.codec.body import BodyLimits
from gateway.codec.fingerprint import CANONICAL_BYTES, fingerprint
from tests.fuzz.spellings import JSON_BODIES

LIMITS = BodyLimits(depth=64, elements=2_000_000)
INTEGER = Shape(Kind.INTEGER)
ROW = Shape(Kind.OBJECT, {"id": INTEGER})
SHAPE = Shape(
    Kind.OBJECT,
    {"db_id": INTEGER, "ids": Shape(Kind.LIST, item=INTEGER), "rows": Shape(Kind.LIST, item=ROW), "row": ROW},
)


def of(
    body: bytes | str, shape: Shape = SHAPE, query: bytes = b"", scope: str = "default", method: str = "m"
) -> bytes:
    fields = jsonbody.decode(body.encode() if isinstance(body, str) else body, LIMITS)
    return fingerprint(scope, method, query, jsonbody.encode(tokenslot.strip(fields)), shape)


def of_xml(body: str, shape: Shape = SHAPE) -> bytes:
    fields = tokenslot.strip(xmlbody.decode(body.encode(), shape, LIMITS))
    return fingerprint("default", "m", b"", jsonbody.encode(fields), shape)


def test_it_has_16_bytes() -> None:
    assert len(of("{}")) == 16


@pytest.mark.parametrize(
    ("body", "query", "expected"),
    [
        ("{}", b"", "dcfd8ce5fa05d03962897ea8dfe35e78"),
        ("{}", b"a=1", "0ae40b6367dbbb49a74d95dd142fd04b"),
        (
            r'{"db_id":"7","a":"é\u0001/","b":[1.10,null,true],"rows":[{"id":"5","x":"5"},"6"]}',
            b"",
            "1342812afba54b071ea4abe264148447",
        ),
        ('{"db_id":7, "x":{"b":1,"a":2,"b":3}}', b"", "86a423e5e109544bcc2c5d07e82f5c0a"),
        (r'{"x":{"b":1,"a":"\u003a:"}}', b"", "fac220387f3a737585f954316d21c1da"),
        ('{"pad":"' + "x" * 300_000 + '"}', b"", "61e24c24b46316392e9c6caa2b8c2d72"),
        (
            '{"a":-0,"b":"' + "9" * 30 + '","c":' + "9" * 30 + ',"token":"t"}',
            b"",
            "6ad9b24a3c943d67333c5e8cae62d4cd",
        ),
    ],
)
def test_identities_stay_what_they_were(body: str, query: bytes, expected: str) -> None:
    """Journals and Redis hold them: a call that was sent before an update is the same call after it."""
    assert of(body, query=query).hex() == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param('{"a":1,"b":2}', '{"b":2,"a":1}', id="order of fields"),
        pytest.param(
            '{"a":{"x":1,"y":[{"p":1,"q":2}]}}', '{"a":{"y":[{"q":2,"p":1}],"x":1}}', id="inner order"
        ),
        pytest.param('{"a":[1,2]}', ' { "a" :\n[ 1 ,\t2 ] } ', id="spacing"),
        pytest.param('{"a":"é/"}', r'{"\u0061":"\u00e9\/"}', id="escapes"),
        pytest.param('{"a":1,"a":2}', '{"a":2}', id="doubled fields"),
        pytest.param('{"a":1,"token":"x"}', '{"Token":"y","a":1}', id="token"),
        pytest.param('{"db_id":"7"}', '{"db_id":7}', id="integer as text, typed"),
        pytest.param('{"ids":["7",8]}', '{"ids":[7,"8"]}', id="integers in a typed list"),
        pytest.param(
            '{"rows":[{"id":"7"}],"row":{"id":"1"}}', '{"rows":[{"id":7}],"row":{"id":1}}', id="inside"
        ),
    ],
)
def test_spellings_of_one_call_are_equal(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param('{"a":1}', '{"a":"1"}', id="number and text, untyped"),
        pytest.param('{"data":{"db_id":1}}', '{"data":{"db_id":"1"}}', id="typed elsewhere only"),
        pytest.param('{"rows":{"id":1}}', '{"rows":{"id":"1"}}', id="structure other than the type"),
        pytest.param('{"db_id":"07"}', '{"db_id":7}', id="not canonical"),
        pytest.param('{"db_id":"-0"}', '{"db_id":0}', id="minus zero"),
        pytest.param('{"db_id":1}', '{"db_id":1.0}', id="1 and 1.0"),
        pytest.param('{"a":1.1}', '{"a":1.10}', id="spelling of a number"),
        pytest.param('{"a":100}', '{"a":1e2}', id="exponent"),
        pytest.param('{"a":12345678901234567890}', '{"a":12345678901234567891}', id="20 digits"),
        pytest.param('{"a":9007199254740993}', '{"a":9007199254740992}', id="beyond a double"),
        pytest.param('{"a":null}', "{}", id="null and absent"),
        pytest.param('{"a":""}', '{"a":null}', id="empty and null"),
        pytest.param('{"a":[]}', '{"a":{}}', id="empty list and object"),
        pytest.param('{"a":[1]}', '{"a":1}', id="list of one"),
        pytest.param('{"a":[1,2]}', '{"a":[2,1]}', id="order of a list"),
        pytest.param('{"a":true}', '{"a":1}', id="true and 1"),
        pytest.param('{"a":"x"}', '{"a":"X"}', id="case"),
        pytest.param('{"a":"e\u0301"}', '{"a":"é"}', id="normal forms"),
        pytest.param('{"a":"b","c":"d"}', '{"a":"b\\",\\"c\\":\\"d"}', id="quoting"),
        pytest.param('{"data":{"token":1}}', '{"data":{"token":2}}', id="inner token is data"),
    ],
)
def test_calls_that_differ_in_meaning_differ(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_account_method_and_query_belong_to_it() -> None:
    prints = {
        of("{}"),
        of("{}", scope="other"),
        of("{}", method="n"),
        of("{}", query=b"request_id=1"),
        of("{}", query=b"request_id=2"),
        of("{}", query=b"\xff"),
    }
    assert len(prints) == 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c", b""), ("a", "bc", b"")),
        (("a", "", b"b"), ("a", "b", b"")),
        (('a","b', "c", b""), ("a", 'b","c', b"")),
        (("a", 'b",""', b""), ("a", "b", b'",""')),
    ],
)
def test_no_part_runs_into_the_next(one: tuple[str, str, bytes], other: tuple[str, str, bytes]) -> None:
    assert fingerprint(*one, b"{}", OBJECT) != fingerprint(*other, b"{}", OBJECT)


def test_xml_and_json_of_one_call_are_equal() -> None:
    as_json = '{"db_id":7,"ids":[1],"rows":[{"id":5,"name":"a<b"}],"phone":"007","token":"t"}'
    as_xml = (
        "<xml><token>x</token><phone>007</phone><rows><name>a&lt;b</name><id>5</id></rows>"
        "<ids>1</ids><db_id>7</db_id></xml>"
    )

    assert of_xml(as_xml) == of(as_json)


def test_a_long_text_of_digits_is_a_number_where_typed() -> None:
    assert of('{"db_id":"' + "9" * 1000 + '"}') == of('{"db_id":' + "9" * 1000 + "}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param('{"x":{"a":1,"a":2}}', '{"x":{"a":2}}', id="the last value"),
        pytest.param('{"x":{"a":1,"a":2}}', '{"x":{"a":2,"a":1}}', id="the other order"),
        pytest.param('{"x":[{"a":1,"a":2}]}', '{"x":[{"a":2}]}', id="in a list"),
        pytest.param(r'{"x":{"a":1,"\u0061":2}}', '{"x":{"a":2}}', id="escaped"),
        pytest.param(
            r'{"x":{"a":1,"a":2},"y":"\u003a"}', '{"x":{"a":2},"y":":"}', id="beside an escaped colon"
        ),
        pytest.param(r'{"x":{"a":1,"a":2},"y":"\u003A"}', '{"x":{"a":2},"y":":"}', id="in capitals"),
    ],
)
def test_a_call_with_a_name_twice_in_an_object_is_not_that_with_one_of_its_values(
    one: str, other: str
) -> None:
    assert of(one) != of(other)
    assert of(one) == of(one)


def test_colons_in_texts_are_not_names() -> None:
    assert of(r'{"x":{"a":"\u003a:"}, "b":":"}') == of('{"b":":","x":{"a":"::"}}')


def big(extra: str = "", size: int = CANONICAL_BYTES) -> str:
    return '{"pad":"' + "x" * size + '"' + extra + "}"


def test_above_the_size_the_bytes_count() -> None:
    assert of(big(',"a":1')) == of(big(',"a":1,"token":"t"'))
    assert of(big(',"a":1')) != of(big(',"a":2'))
    assert of(big(',"a":[1,2]')) != of(big(',"a":[1, 2]'))
    assert of(big(), query=b"a") != of(big(), query=b"b")


def test_up_to_the_size_the_meaning_counts() -> None:
    padding = "x" * (CANONICAL_BYTES - len('{"pad":"","a":[1,2]}'))
    last = f'{{"pad":"{padding}","a":[1,2]}}'

    assert len(last) == CANONICAL_BYTES
    assert of(last) == of(f'{{"a":[1,2],"pad":"{padding}"}}')
    assert of(last) != of(last.replace("[1,2]", "[1, 2]")), "one byte more is over the size"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
BODIES = st.dictionaries(st.text().filter(lambda name: name.casefold() != "token"), JSON, max_size=5)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(BODIES)
def test_order_spacing_and_escapes_never_count(body: dict[str, Any]) -> None:
    other = json.dumps(shuffled(body), ensure_ascii=True, indent=1)

    assert of(json.dumps(body, ensure_ascii=False, separators=(",", ":")), OBJECT) == of(other, OBJECT)


@given(BODIES, BODIES)
def test_two_bodies_are_equal_exactly_when_their_fingerprints_are(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    # json.dumps and not ==, for which True is 1.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (of(json.dumps(one), OBJECT) == of(json.dumps(other), OBJECT)) is same


def specified(body: bytes) -> str:
    """The identity of a call without types, in the plainest words: the address and the body as one list, the
    keys of every object sorted; the bytes of the body where a name comes twice within."""
    doubled = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        doubled = doubled or len(dict(pairs)) < len(pairs)
        return dict(sorted(pairs, key=lambda pair: pair[0].encode()))

    plain = jsonbody.encode(tokenslot.strip(jsonbody.decode(body, LIMITS)))
    meaning = json.loads(plain, object_pairs_hook=members, parse_float=spelt, parse_int=spelt)
    address = msgspec.json.encode(["default", "m", ""])
    if doubled:
        return hashlib.blake2b(address + plain, digest_size=16).hexdigest()
    canonical = address[:-1] + b"," + msgspec.json.encode(meaning) + b"]"
    return hashlib.blake2b(canonical, digest_size=16).hexdigest()


def spelt(number: str) -> msgspec.Raw:
    return msgspec.Raw("0" if number == "-0" else number)


@given(JSON_BODIES)
def test_the_identity_is_that_of_the_specification(body: bytes) -> None:
    assert of(body, OBJECT).hex() == specified(body)
