"""Generated calls and replies, typed as the catalogue types them, and the platform's XML written for them.

A third hand beside the gateway's codec and the sandbox's: it shares code with neither, so that what the two
make of a document can be compared with what went into it.
"""

import random
import re
from collections.abc import Iterator
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from gateway.catalogue.shape import ANY, Kind, Shape

Value: TypeAlias = Any

TEXTS = (
    "jim@example.com",
    "+79000000000",
    "007",
    "12345678901234567890",
    "1.10",
    "true",
    "null",
    "<b>&amp; \"quoted\" 'too'</b>",
    "]]>",
    "  two  spaces  ",
    "line\nline\ttab",
    "carriage\rreturn",
    "жук 😀 \u00a0",
    "a\x00b\ufffe",
    "",
)
LEAVES = (Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN)
ITEMS = (*LEAVES, Kind.OBJECT)
OWN_NAMES = ("own", "own_2", "_hidden", "имя", "with-dash", "with.dot")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Documents:
    """A source of documents; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def of(self, shape: Shape) -> dict[str, Value]:
        """An object with some of the known fields and some of nobody's."""
        return self._object(shape, depth=4)

    def _object(self, shape: Shape, depth: int) -> dict[str, Value]:
        rng = self._rng
        names = [name for name in shape.fields if rng.random() < 0.6]
        names += rng.sample(OWN_NAMES, rng.randrange(1, 3))
        rng.shuffle(names)
        return {name: self._value(shape.field(name), depth - 1) for name in names}

    def _value(self, shape: Shape, depth: int) -> Value:
        rng = self._rng
        match shape.kind:
            case Kind.STRING:
                return rng.choice(TEXTS)
            case Kind.INTEGER:
                return rng.choice((0, 7, -7, 123456789012345678901234567890, "7", None))
            case Kind.NUMBER:
                return rng.choice((0, 2, -2.5, 1234.75, "2.5", None))
            case Kind.BOOLEAN:
                return rng.choice((True, False, "true", None))
            case Kind.LIST if shape.items.kind in LEAVES and rng.random() < 0.2:
                # A functional value, which may stand for any value of a field (page "Functional fields").
                return {"action": "add", "value": [rng.choice(TEXTS[:4])]}
            case Kind.LIST:
                return [self._value(shape.items, depth - 1) for _ in range(rng.randrange(4))]
            case Kind.OBJECT:
                return self._object(shape, depth) if rng.random() < 0.9 else rng.choice(({}, None))
            case Kind.ANY:
                return self._anything(depth)

    def _anything(self, depth: int) -> Value:
        rng = self._rng
        kind = rng.choice((*LEAVES, Kind.LIST, Kind.OBJECT) if depth > 0 else LEAVES)
        if kind is Kind.LIST and rng.random() < 0.3:
            # Not one list alone in a list: unmarked, nobody but the catalogue can tell it from a list.
            return [[self._anything(0) for _ in range(rng.randrange(3))] for _ in range(rng.randrange(2, 4))]
        if kind is Kind.LIST:
            return [self._value(Shape(rng.choice(ITEMS)), depth - 1) for _ in range(rng.randrange(4))]
        return self._value(Shape(kind), depth)


class Writer:
    """Writes documents as users do: each time in another of the spellings that mean the same."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def write(self, fields: dict[str, Value], *, marks: bool) -> bytes:
        """`marks` puts `array='true'` on every list of one item; without, no list has one."""
        rng = self._rng
        start = rng.choice(("", "<?xml version='1.0' encoding='UTF-8'?>", "\ufeff", "<!-- first -->\n"))
        self._space = rng.choice(("", "\n  ", "<!-- between -->"))
        return f"{start}<xml>{''.join(self._fields(fields, marks))}{self._space}</xml>".encode()

    def _fields(self, fields: dict[str, Value], marks: bool) -> Iterator[str]:
        for name, value in fields.items():
            items = value if isinstance(value, list) and value else [value]
            mark = self._mark() if marks and isinstance(value, list) and len(value) == 1 else ""
            for item in items:
                yield f"{self._space}<{name}{mark}>{self._content(item, marks)}</{name}>"

    def _mark(self) -> str:
        return self._rng.choice((" array='true'", ' array="true"', " array = 'true' "))

    def _content(self, value: Value, marks: bool) -> str:
        if isinstance(value, dict):
            return "".join(self._fields(value, marks)) + (self._space if value else "")
        if isinstance(value, list):
            return "".join(f"<xml>{self._content(item, marks)}</xml>" for item in value)
        return self._text(spelt(value))

    def _text(self, text: str) -> str:
        match self._rng.randrange(3):
            case 0 if "]]>" not in text and "\r" not in text:
                return f"<![CDATA[{text}]]>"
            case 1:
                return "".join(f"&#{ord(letter)};" for letter in text)
            case _:
                return escape(text, {"\r": "&#xD;"})


def spelt(value: Value) -> str:
    """A leaf as XML has it: text. What no XML can carry is U+FFFD."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNREADABLE.sub("\ufffd", str(value))


def told(value: Value, shape: Shape, *, marks: bool) -> Value:
    """What XML can tell of `value` to a reader who knows its type.

    The platform's shape: an empty element is an empty list, an empty object, null or an empty text; a list of
    one item is marked (`marks`) or looks like its item; every leaf is text.
    """
    if shape.kind is Kind.LIST and isinstance(value, list):
        return _told_list(value, shape, marks)
    if isinstance(value, list) and (len(value) > 1 or (marks and value)):
        return [_told_item(item, shape, marks) for item in value]
    if isinstance(value, list) and value:
        return _told_item(value[0], shape, marks)
    if isinstance(value, dict) and value:
        return {name: told(inner, shape.field(name), marks=marks) for name, inner in value.items()}
    return _typed(spelt(value), shape.kind)


def _told_list(value: Value, shape: Shape, marks: bool) -> Value:
    items = [_told_item(item, shape.items, marks) for item in value]
    is_lost = len(value) == 1 and not marks and not shape.wrapped and spelt(value[0]) == ""
    return [] if is_lost else items


def _told_item(value: Value, shape: Shape, marks: bool) -> Value:
    """Items of a list in a list stand in `<xml>` elements, so they are told whatever their number."""
    if isinstance(value, list) and value:
        return [_told_item(item, shape.items if shape.kind is Kind.LIST else ANY, marks) for item in value]
    return told(value, shape, marks=marks)


def _typed(text: str, kind: Kind) -> Value:
    if kind in (Kind.ANY, Kind.STRING):
        return text
    if text == "":
        return None
    if kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    return float(text) if "." in text else int(text)
