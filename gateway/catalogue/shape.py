"""What type a value has, by its place in a call.

XML carries no types, so the catalogue has to say them. A `Shape` is one node of that knowledge; where it is
`ANY` nothing is known, and then nothing is guessed. This module refuses to validate: the platform itself is
loose about types, and a wrong value is the platform's to refuse.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The types that a parameter or a reply field can have."""

    ANY = "any"
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "list"


def _no_fields() -> Mapping[str, "Shape"]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shape:
    """The type of one value; `fields` for an object's known fields, `item` for a list's items.

    An object may always have more fields than the known ones. `wrapped` marks a list that the platform writes
    in XML as one element with a nested `<xml>` per item (the `result` of profiles/add_batch) instead of
    repeating the element.
    """

    kind: Kind = Kind.ANY
    fields: Mapping[str, "Shape"] = dataclasses.field(default_factory=_no_fields)
    item: "Shape | None" = None
    wrapped: bool = False
    has_integers: bool = dataclasses.field(init=False, repr=False, compare=False)
    """Whether the value is an integer, or has one in it."""
    fields_with_integers: "tuple[tuple[str, Shape], ...]" = dataclasses.field(
        init=False, repr=False, compare=False
    )
    fields_beyond_text: "dict[str, Shape]" = dataclasses.field(init=False, repr=False, compare=False)
    """Those of which a text in XML may be something else than a text."""

    def __post_init__(self) -> None:
        fields = tuple((name, shape) for name, shape in self.fields.items() if shape.has_integers)
        beyond = {name: s for name, s in self.fields.items() if s.kind not in (Kind.ANY, Kind.STRING)}
        in_items = self.item is not None and self.item.has_integers
        object.__setattr__(self, "fields_with_integers", fields)
        object.__setattr__(self, "fields_beyond_text", beyond)
        object.__setattr__(self, "has_integers", self.kind is Kind.INTEGER or bool(fields) or in_items)

    def field(self, name: str) -> "Shape":
        """The shape of the field `name`; `ANY` when nothing is known about it."""
        return self.fields.get(name, ANY)

    def __reduce__(self) -> "tuple[type[Shape], tuple[Kind, dict[str, Shape], Shape | None, bool]]":
        """Shapes travel to worker processes; a read-only view of a dictionary does not by itself."""
        return Shape, (self.kind, dict(self.fields), self.item, self.wrapped)

    @property
    def items(self) -> "Shape":
        """The shape of a list's items; `ANY` when nothing is known about them."""
        return self.item or ANY


ANY = Shape()
OBJECT = Shape(Kind.OBJECT)
