"""XML of the platform's shape to a tree: what is text, what is a list, what is a number.

XML has no types. Structure comes first (repeated and marked elements are lists, elements with children are
objects), then the catalogue's types; where neither tells, text stays text. Refuses to parse: `xmlplain` and
`xmlparser` do, and the latter refuses what has no meaning in this shape.
"""

import re
from typing import Any, TypeAlias, TypeGuard

import msgspec

from gateway.catalogue.shape import ANY, Kind, Shape
from gateway.codec import xmlparser, xmlplain
from gateway.codec.body import MAX_NUMBER, NUMBER_TOO_LONG, BodyLimits, MalformedBodyError
from gateway.codec.jsontree import Tree, is_integer
from gateway.codec.xmlparser import ITEM, SPACE, Attributed, Content

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Looked up once: each look-up in the class takes 60 ns, as long as all else that is done for a text.
_ANY, _STRING, _INTEGER, _NUMBER, _BOOLEAN = Kind.ANY, Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN
_OBJECT, _LIST = Kind.OBJECT, Kind.LIST
_LEAVES = frozenset((_STRING, _INTEGER, _NUMBER, _BOOLEAN))


def read(body: bytes, shape: Shape, limits: BodyLimits) -> dict[str, Tree]:
    """Read a document's fields, by the types that `shape` knows; the root may have any name.

    Raises MalformedBodyError for everything that is refused.
    """
    root = xmlplain.parse(body, limits)
    if root is None:
        root = xmlparser.parse(body, limits)
    if isinstance(root, list):
        return _object(root, shape)
    if isinstance(root, str) and root.strip(SPACE):
        raise MalformedBodyError("there is text where only elements may stand")
    return {}


_Bare: TypeAlias = "str | list[tuple[str, Content]]"
"""What is in an element, whatever its attributes."""


def _bare(content: Content) -> _Bare:
    return content.content if isinstance(content, Attributed) else content


class _Repeated:
    """What is in the elements of one name."""

    __slots__ = ("contents",)

    def __init__(self, contents: list[Content]) -> None:
        self.contents = contents


def _object(children: list[tuple[str, Content]], shape: Shape) -> dict[str, Tree]:
    """The children of an element as an object's fields."""
    each: list[tuple[str, Content | _Repeated]] | list[tuple[str, Content]] = children
    fields: dict[str, Any] = dict(children)  # which is all, where there are but texts
    if len(fields) < len(children):
        each = _gathered(children)
        fields = dict(each)
    beyond_text = shape.fields_beyond_text
    for name, content in each:
        if type(content) is not str:
            inner = shape.fields.get(name, ANY)
            if type(content) is list and inner.kind is not _LIST:
                fields[name] = _object(content, inner)
            else:
                fields[name] = _listed(content, inner)
        elif name in beyond_text:
            inner = beyond_text[name]
            fields[name] = _listed(content, inner) if inner.kind is _LIST else _leaf(content, inner.kind)
    return fields


def _gathered(children: list[tuple[str, Content]]) -> "list[tuple[str, Content | _Repeated]]":
    """With those of one name together, where the first of them is."""
    groups: dict[str, Content | _Repeated] = {}
    for name, content in children:
        if name not in groups:
            groups[name] = content
        elif isinstance(first := groups[name], _Repeated):
            first.contents.append(content)
        else:
            groups[name] = _Repeated([first, content])
    return list(groups.items())


def _listed(content: "Content | _Repeated", shape: Shape) -> Tree:
    """The value of a field that may be a list: by its type, by a mark, or since it is repeated."""
    each = content.contents if isinstance(content, _Repeated) else [content]
    marked = any(isinstance(one, Attributed) and one.marked for one in each)
    group = [_bare(one) for one in each]
    if len(group) > 1 or marked or shape.kind is _LIST:
        return _list(group, shape, marked)
    return _value(group[0], shape)


def _list(group: list[_Bare], shape: Shape, marked: bool) -> Tree:
    """The value of all elements with one name, which are a list, or stand where one is known to be."""
    if len(group) == 1:
        [one] = group
        if shape.wrapped and _has_items(one):
            return _items(one, shape)
        if not marked and _is_empty(one):
            return []
        if not marked and _is_object(one) and shape.items.kind in _LEAVES:
            # Not a list of one text, but an object in the list's place: a functional value of the platform,
            # as in `<phones><action>add</action><value>…</value></phones>`.
            return _value(one, ANY)
    item = shape.items if shape.kind is _LIST else shape
    return [_item(one, item) for one in group]


def _item(content: _Bare, shape: Shape) -> Tree:
    """One item of a list; inside a list, nested `<xml>` elements are a list too."""
    if _has_items(content):
        return _items(content, shape)
    if shape.kind is _LIST:
        return [] if _is_empty(content) else [_value(content, shape.items)]
    return _value(content, shape)


def _has_items(content: _Bare) -> TypeGuard[list[tuple[str, Content]]]:
    return isinstance(content, list) and content[0][0] == ITEM and all(map(_is_item, content))


def _is_item(child: tuple[str, Content]) -> bool:
    name, content = child
    return content.is_item if type(content) is Attributed else name == ITEM


def _is_object(content: _Bare) -> bool:
    return isinstance(content, list) and not _has_items(content)


def _items(children: list[tuple[str, Content]], shape: Shape) -> list[Tree]:
    item = shape.items if shape.kind is _LIST else shape
    return [_item(_bare(content), item) for _, content in children]


def _is_empty(content: _Bare) -> bool:
    return isinstance(content, str) and not content.strip(SPACE)


def _value(content: _Bare, shape: Shape) -> Tree:
    """The value of one element that is not a list."""
    return _object(content, shape) if isinstance(content, list) else _leaf(content, shape.kind)


def _leaf(text: str, kind: Kind) -> Tree:
    if kind is _ANY or kind is _STRING:
        return text
    if not text or (kind is _OBJECT and not text.strip(SPACE)):
        return None
    if kind is _BOOLEAN and text in ("true", "false"):
        return text == "true"
    if (kind is _INTEGER and is_integer(text)) or (kind is _NUMBER and _JSON_NUMBER.fullmatch(text)):
        if len(text) > MAX_NUMBER:
            raise MalformedBodyError(NUMBER_TOO_LONG)
        return msgspec.Raw(text)
    return text
