"""What holds for any bytes at all. Each property takes bytes and raises when it finds a fault; it returns
what happened, for counting. Hypothesis and atheris give the bytes.
"""

import json
from collections.abc import Callable
from xml.etree import ElementTree

from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape
from gateway.codec import (
    envelope,
    jsonbody,
    negotiation,
    querystring,
    reply,
    tokenslot,
    xmlbody,
    xmlparser,
    xmlplain,
)
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError
from gateway.codec.fingerprint import fingerprint
from gateway.headers import pick
from gateway.policy.cache_headers import parse_cache_control
from tests.fuzz import oracle

LIMITS = BodyLimits(depth=64, elements=100_000)
TOKEN = "0ur-t0ken"
TYPED = Shape(
    Kind.OBJECT,
    {
        "a": Shape(Kind.INTEGER),
        "b": Shape(Kind.LIST, item=Shape(Kind.INTEGER)),
        "c": Shape(Kind.LIST, item=OBJECT, wrapped=True),
        "d": Shape(Kind.BOOLEAN),
        "e": Shape(Kind.NUMBER),
        "f": Shape(Kind.STRING),
        "g": OBJECT,
    },
)


def json_call(data: bytes) -> str:
    """A call in JSON is refused, or goes out meaning what it meant, with our token and no other."""
    try:
        fields = jsonbody.decode(data, LIMITS)
    except MalformedBodyError as error:
        assert_says_nothing(str(error))
        return "refused"
    sent = jsonbody.encode(tokenslot.place(fields, TOKEN))
    assert oracle.call_meaning(sent) == oracle.call_meaning(data)
    assert oracle.tokens(sent) == [TOKEN]
    assert sent == tokenslot.put_first(jsonbody.encode(tokenslot.strip(fields)), TOKEN)
    assert_same(data, jsonbody.encode(tokenslot.strip(fields)))
    return "passed"


def assert_same(data: bytes, sent: bytes) -> None:
    """Spelling the call anew by another encoder makes the same call, if no object has a name twice."""
    identity = identity_of(jsonbody.decode(sent, LIMITS))
    assert identity == identity_of(tokenslot.strip(jsonbody.decode(data, LIMITS)))


def json_pair(one: bytes, other: bytes) -> str:
    """Two calls of one identity mean the same to the platform."""
    try:
        first = tokenslot.strip(jsonbody.decode(one, LIMITS))
        second = tokenslot.strip(jsonbody.decode(other, LIMITS))
    except MalformedBodyError:
        return "refused"
    same = identity_of(first) == identity_of(second)
    meaning = oracle.call_meaning(one) == oracle.call_meaning(other)
    assert meaning or not same, "two calls that differ would be one"
    return "same" if same else "different"


def identity_of(fields: Fields, shape: Shape = ANY) -> bytes:
    return fingerprint("default", "method", b"", jsonbody.encode(fields), shape)


def xml_call(data: bytes) -> str:
    """A call in XML is refused, or is XML to others too, with the same texts; and as JSON goes there and
    back."""
    try:
        fields = xmlbody.decode(data, OBJECT, LIMITS)
    except MalformedBodyError as error:
        assert_says_nothing(str(error))
        return "refused"
    assert oracle.is_xml(data)
    sent = jsonbody.encode(tokenslot.place(fields, TOKEN))
    assert oracle.tokens(sent) == [TOKEN]
    assert sorted(_strings(json.loads(jsonbody.encode(fields)))) == sorted(
        filter(None, oracle.xml_texts(data))
    )
    again = xmlbody.decode(xmlbody.encode(fields, OBJECT), OBJECT, LIMITS)
    assert set(again) == set(fields)
    return "passed"


def xml_typed(data: bytes) -> str:
    """The same with types: what comes out is JSON that a strict parser takes."""
    try:
        fields = xmlbody.decode(data, TYPED, LIMITS)
    except MalformedBodyError as error:
        assert_says_nothing(str(error))
        return "refused"
    body = jsonbody.encode(fields)
    oracle.call_meaning(body)
    assert identity_of(fields, TYPED) == identity_of(jsonbody.decode(body, LIMITS), TYPED)
    return "passed"


def xml_plain(data: bytes) -> str:
    """What is read without a parser is what the parser reads, and refuses nothing else."""
    read = xmlplain.parse(data, LIMITS)
    if read is None:
        return "not plain"
    assert xmlparser.parse(data, LIMITS) == read
    return "plain"


def reply_body(data: bytes) -> str:
    """Reading a reply never raises; one that is JSON can be written as XML, or is refused."""
    found = envelope.read(data, "items")
    envelope.read_xml(data, LIMITS, "items")
    if not found.is_json:
        return "garbage"
    oracle_reads = _reads(data)
    assert oracle_reads or b"\\u" in data or not _is_utf8(data), "taken for JSON by us only"
    try:
        written = reply.to_xml(data, TYPED)
    except MalformedBodyError:
        return "json, not convertible"
    ElementTree.fromstring(written)
    return "json"


def reply_xml(data: bytes) -> str:
    """An XML reply becomes JSON that a strict parser takes, or is refused."""
    try:
        body = reply.to_json(data, TYPED, LIMITS)
    except MalformedBodyError:
        return "refused"
    oracle.json_meaning(body)
    return "passed"


def query(data: bytes) -> str:
    """No token is left in the URL's parameters, whatever splits and decodes them; the rest stays in order."""
    data = bytes(byte for byte in data if byte > 0x20 and byte != 0x7F)  # no other gets through the listener
    try:
        wanted, kept = querystring.take(data)
    except MalformedBodyError as error:
        assert_says_nothing(str(error))
        return "refused"
    again_wanted, again = querystring.take(kept)
    assert (again_wanted, again) == (None, kept)
    placed = querystring.place(kept, TOKEN)
    named = [name.casefold() for name in querystring.names(placed)]
    assert named.count("token") == 1
    assert placed.endswith(b"token=" + TOKEN.encode())
    return "kept" if wanted is None else "with format"


def head(data: bytes) -> str:
    """What is read of header values never raises."""
    parts = data.split(b"\n")
    found = pick((b"accept" if number % 2 else b"cache-control", part) for number, part in enumerate(parts))
    parse_cache_control(found.get(b"cache-control"))
    negotiation.body_format(data)
    negotiation.reply_format(None, None, found.get(b"accept", b""), negotiation.Format.JSON)
    return "read"


def assert_says_nothing(text: str) -> None:
    """A refusal is one short line, whatever it refuses."""
    assert text.isprintable()
    assert len(text) < 200


def _strings(value: object) -> list[str]:
    """All texts in a value that are not empty."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) and value else []


def _reads(data: bytes) -> bool:
    try:
        oracle.json_meaning(data)
    except (ValueError, RecursionError):
        return False
    return True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


TARGETS: dict[str, Callable[[bytes], str]] = {
    "json_call": json_call,
    "json_pair": lambda data: json_pair(*[*data.split(b"\n", 1), b"{}"][:2]),
    "xml_call": xml_call,
    "xml_typed": xml_typed,
    "xml_plain": xml_plain,
    "reply_body": reply_body,
    "reply_xml": reply_xml,
    "query": query,
    "head": head,
}
