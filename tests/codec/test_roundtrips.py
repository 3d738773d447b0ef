"""What goes through both directions comes back, with the types that a catalogue would give."""

import json
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.shape import Kind, Shape
from gateway.codec import jsonbody, reply, xmlbody
from gateway.codec.body import BodyLimits

LIMITS = BodyLimits(depth=64, elements=2_000_000)

# Texts that XML can carry. "" is left to the goldens: which types it survives is a table of its own.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    min_size=1,
)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    max_size=8,
)


@st.composite
def typed(draw: st.DrawFn, depth: int = 3) -> tuple[Shape, Any]:
    """A shape and a value of it."""
    kinds = [Kind.STRING, Kind.INTEGER, Kind.BOOLEAN, *([Kind.LIST, Kind.OBJECT] if depth else [])]
    match draw(st.sampled_from(kinds)):
        case Kind.STRING:
            return Shape(Kind.STRING), draw(TEXTS)
        case Kind.INTEGER:
            return Shape(Kind.INTEGER), draw(st.none() | st.integers())
        case Kind.BOOLEAN:
            return Shape(Kind.BOOLEAN), draw(st.none() | st.booleans())
        case Kind.LIST:
            item, value = draw(typed(depth - 1))
            # One item that is empty or blank looks like an empty list: the mark tells, the goldens test it.
            is_blank = isinstance(value, str) and not value.strip(" ")
            copies = 0 if is_blank or value in (None, []) else draw(st.integers(0, 3))
            return Shape(Kind.LIST, item=item, wrapped=draw(st.booleans())), [value] * copies
        case _:
            return draw(typed_object(depth - 1, min_size=1))


@st.composite
def typed_object(draw: st.DrawFn, depth: int = 3, min_size: int = 0) -> tuple[Shape, dict[str, Any]]:
    fields = draw(st.dictionaries(NAMES, typed(depth), min_size=min_size, max_size=4))
    shape = Shape(Kind.OBJECT, {name: known for name, (known, _) in fields.items()})
    return shape, {name: value for name, (_, value) in fields.items()}


@given(typed_object())
def test_typed_json_survives_the_way_through_xml(call: tuple[Shape, dict[str, Any]]) -> None:
    shape, body = call
    fields = jsonbody.decode(json.dumps(body).encode(), LIMITS)

    back = jsonbody.encode(xmlbody.decode(xmlbody.encode(fields, shape), shape, LIMITS))

    assert json.loads(back) == body
    assert list(json.loads(back)) == list(body)


@given(typed_object())
def test_a_reply_survives_the_way_through_xml_without_marks(answer: tuple[Shape, dict[str, Any]]) -> None:
    shape, body = answer
    body = {"error": 0, "error_text": "ok"} | {
        name: body[name] for name in body.keys() - {"error", "error_text"}
    }

    back = reply.to_json(reply.to_xml(json.dumps(body).encode(), shape), shape, LIMITS)

    assert json.loads(back) == body


@given(st.dictionaries(NAMES.filter(str.isidentifier).filter(str.isascii), TEXTS))
def test_untyped_texts_are_read_by_another_parser(body: dict[str, str]) -> None:
    document = ElementTree.fromstring(reply.to_xml(json.dumps(body).encode(), Shape()))

    assert {child.attrib.get("key", child.tag): child.text for child in document} == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 2]), st.booleans())
def test_fields_are_what_another_parser_reads(
    body: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(body, indent=indent, ensure_ascii=ascii_only)
    fields = jsonbody.decode(text.encode(), LIMITS)

    assert {name: json.loads(bytes(raw)) for name, raw in fields.items()} == body
    assert json.loads(jsonbody.encode(fields)) == body
    assert jsonbody.encode(jsonbody.decode(jsonbody.encode(fields), LIMITS)) == jsonbody.encode(fields)
