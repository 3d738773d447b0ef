"""Shapes as they are written in the catalogue's files and in an operator's method rules.

The grammar is explained at the head of `data/shapes.yaml`. Refuses what it does not know, with the path to
it; never looks at the values of a call.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.catalogue.shape import ANY, Kind, Shape

WRAPPED = "wrapped"

_LEAVES: Mapping[str, Shape] = MappingProxyType(
    {kind.value: ANY if kind is Kind.ANY else Shape(kind) for kind in Kind if kind is not Kind.LIST}
)


def shape_of(node: object, named: Mapping[str, Shape], path: str = "") -> Shape:
    """The shape that `node`, as read from YAML or JSON, spells; ValueError says what is wrong and where."""
    match node:
        case str():
            return _named(node, named, path)
        case [item]:
            return Shape(Kind.LIST, item=shape_of(item, named, f"{path}[]"))
        case [str(mark), item] if mark == WRAPPED:
            return Shape(Kind.LIST, item=shape_of(item, named, f"{path}[]"), wrapped=True)
        case Mapping():
            return Shape(Kind.OBJECT, _fields(node, named, path))
        case _:
            raise _problem(path, "a type is a word, [T], [wrapped, T] or {name: T}")


def merged(under: Shape, over: Shape) -> Shape:
    """`over` laid upon `under`: objects field by field, lists item by item, anything else replaced."""
    if under.kind is over.kind is Kind.OBJECT:
        fields = dict(under.fields)
        for name, shape in over.fields.items():
            fields[name] = merged(fields[name], shape) if name in fields else shape
        return Shape(Kind.OBJECT, MappingProxyType(fields))
    if under.kind is over.kind is Kind.LIST:
        return Shape(Kind.LIST, item=merged(under.items, over.items), wrapped=under.wrapped or over.wrapped)
    return over


def _named(word: str, named: Mapping[str, Shape], path: str) -> Shape:
    found = named.get(word[1:]) if word.startswith("$") else _LEAVES.get(word)
    if found is None:
        raise _problem(path, f"{word!r} is neither a type nor a named shape")
    return found


def _fields(node: Mapping[object, object], named: Mapping[str, Shape], path: str) -> Mapping[str, Shape]:
    fields: dict[str, Shape] = {}
    for name, child in node.items():
        if not isinstance(name, str):
            raise _problem(path, f"the field name {name!r} is not a string")
        fields[name] = shape_of(child, named, f"{path}.{name}" if path else name)
    return MappingProxyType(fields)


def _problem(path: str, text: str) -> ValueError:
    return ValueError(f"{path}: {text}" if path else text)
