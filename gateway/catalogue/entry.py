"""One method's entry as plain data, read field by field; the same for the shipped files and for method rules.

A field that cannot be read is a `Fault` and the next one is tried, so that all of them can be told at once.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from gateway.catalogue.grammar import shape_of
from gateway.catalogue.model import Effect, Repeats, Replay
from gateway.catalogue.shape import Kind, Shape
from gateway.catalogue.template import parse

Reader = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of one method's entry."""

    method: str
    key: str  # the field's name; empty when it is the entry itself
    text: str

    def __str__(self) -> str:
        return f"{self.method} {self.key}: {self.text}" if self.key else f"{self.method}: {self.text}"


def treatment(named: Mapping[str, Shape]) -> dict[str, Reader]:
    """The readers of the fields that say how a method is treated, by name; an operator may set these."""
    return {
        "effect": _one_of(Effect),
        "parameters": lambda value: _object(value, named),
        "tags": _templates,
        "invalidates": _templates,
        "ttl": seconds,
        "stale_while_revalidate": seconds,
        "stale_if_error": seconds,
        "negative_ttl": _negative_ttl,
        "coalesce": flag,
        "replay": _one_of(Replay),
        "window": seconds,
        "repeats": _one_of(Repeats),
        "token": text,
        "allowed": flag,
    }


def description(named: Mapping[str, Shape]) -> dict[str, Reader]:
    """The readers of the fields that describe a method; only the shipped files have them."""
    return {
        "summary": text,
        "source": text,
        "path": text,
        "reply": lambda value: _object(value, named),
        "item_results": text,
    }


def read(
    method: str, entry: Mapping[str, object], readers: Mapping[str, Reader]
) -> tuple[dict[str, Any], list[Fault]]:
    """The fields of `entry` as `ApiMethod` has them, and what is wrong with the others."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for key, value in entry.items():
        reader = readers.get(key)
        try:
            if reader is None:
                raise ValueError("unknown key")
            values[key] = reader(value)
        except ValueError as error:
            faults.append(Fault(method, key, str(error)))
    return values, faults


def text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a non-empty string")
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number of seconds")
    if not 0 <= value < math.inf:
        raise ValueError("must be 0 or more seconds")
    return float(value)


def _one_of(choices: type[StrEnum]) -> Reader:
    def reader(value: object) -> StrEnum:
        try:
            return choices(text(value))
        except ValueError:
            raise ValueError("must be one of " + ", ".join(choices)) from None

    return reader


def _object(value: object, named: Mapping[str, Shape]) -> Shape:
    shape = shape_of(value, named)
    if shape.kind is not Kind.OBJECT:
        raise ValueError("a body is an object: write {name: T}")
    return shape


def _templates(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ValueError("must be a list of tags")
    return tuple(parse(text(item)).text for item in value)


def _negative_ttl(value: object) -> Mapping[int, float]:
    if not isinstance(value, Mapping) or any(type(code) is not int for code in value):
        raise ValueError("must map codes of the platform to seconds")
    return MappingProxyType({code: seconds(lifetime) for code, lifetime in value.items()})
