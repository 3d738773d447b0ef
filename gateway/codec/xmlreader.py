"""XML of the platform's shape to a tree: what is text, what is a list, what is a number.

XML has no types. Structure comes first (repeated and marked elements are lists, elements with children are
objects), then the catalogue's types; where neither tells, text stays text. Refuses to parse: `xmlparser`
does, and refuses what has no meaning in this shape.
"""

import re

import msgspec

from gateway.catalogue.shape import ANY, Kind, Shape
from gateway.codec.body import MAX_NUMBER, NUMBER_TOO_LONG, BodyLimits, MalformedBodyError
from gateway.codec.jsontree import Tree, is_integer
from gateway.codec.xmlparser import SPACE, Element, parse

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LEAVES = frozenset((Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN))


def read(body: bytes, shape: Shape, limits: BodyLimits) -> dict[str, Tree]:
    """Read a document's fields, by the types that `shape` knows; the root may have any name.

    Raises MalformedBodyError for everything that is refused.
    """
    root = parse(body, limits)
    if root.text.strip(SPACE):
        raise MalformedBodyError("there is text where only elements may stand")
    return _object(root, shape)


def _object(element: Element, shape: Shape) -> dict[str, Tree]:
    """The children of an element as an object's fields."""
    groups: dict[str, list[Element]] = {}
    marked: set[str] = set()
    for child in element.children:
        name = child.name
        if child.marked:
            marked.add(name)
        if name in groups:
            groups[name].append(child)
        else:
            groups[name] = [child]
    known = shape.fields
    fields: dict[str, Tree] = {}
    for name, group in groups.items():
        inner = known.get(name, ANY)
        if len(group) > 1 or inner.kind is Kind.LIST or name in marked:
            fields[name] = _list(group, inner, name in marked)
        else:  # what `_value` does, without the call that most elements would cost
            child = group[0]
            fields[name] = _object(child, inner) if child.children else _leaf(child.text, inner.kind)
    return fields


def _list(group: list[Element], shape: Shape, marked: bool) -> Tree:
    """The value of all elements with one name, which are a list, or stand where one is known to be."""
    if len(group) == 1 and shape.wrapped and _has_items(group[0]):
        return _items(group[0], shape)
    if len(group) == 1 and not marked and _is_empty(group[0]):
        return []
    if len(group) == 1 and not marked and _is_object(group[0]) and shape.items.kind in _LEAVES:
        # Not a list of one text, but an object in the list's place: a functional value of the platform,
        # as in `<phones><action>add</action><value>…</value></phones>`.
        return _value(group[0], ANY)
    item = shape.items if shape.kind is Kind.LIST else shape
    return [_item(element, item) for element in group]


def _item(element: Element, shape: Shape) -> Tree:
    """One item of a list; inside a list, nested `<xml>` elements are a list too."""
    if _has_items(element):
        return _items(element, shape)
    if shape.kind is Kind.LIST:
        return [] if _is_empty(element) else [_value(element, shape.items)]
    return _value(element, shape)


def _has_items(element: Element) -> bool:
    return bool(element.children) and all(child.is_item for child in element.children)


def _is_object(element: Element) -> bool:
    return bool(element.children) and not _has_items(element)


def _items(element: Element, shape: Shape) -> list[Tree]:
    item = shape.items if shape.kind is Kind.LIST else shape
    return [_item(child, item) for child in element.children]


def _is_empty(element: Element) -> bool:
    return not element.children and not element.text.strip(SPACE)


def _value(element: Element, shape: Shape) -> Tree:
    """The value of one element that is not a list."""
    if element.children:
        return _object(element, shape)
    return _leaf(element.text, shape.kind)


def _leaf(text: str, kind: Kind) -> Tree:
    if kind is Kind.ANY or kind is Kind.STRING:
        return text
    if not text or (kind is Kind.OBJECT and not text.strip(SPACE)):
        return None
    if kind is Kind.BOOLEAN and text in ("true", "false"):
        return text == "true"
    if (kind is Kind.INTEGER and is_integer(text)) or (kind is Kind.NUMBER and _JSON_NUMBER.fullmatch(text)):
        if len(text) > MAX_NUMBER:
            raise MalformedBodyError(NUMBER_TOO_LONG)
        return msgspec.Raw(text)
    return text
