"""What travels in a body, and how a parameter is read from it.

The platform types loosely: its own examples send numbers and booleans as strings, and in XML all is text. So
a parameter is read *as* the type that its method expects, and refused (450) only when it cannot be that.
"""

import re
from collections.abc import Iterable
from typing import TypeAlias

from gateway.sandbox.codes import ApiError, Code

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
Fields: TypeAlias = dict[str, Value]

# What int() and float() take beyond these (underscores, spaces, other scripts' digits, nan) is not a number
# here.
_INTEGER = re.compile("[+-]?[0-9]{1,40}")
_NUMBER = re.compile("[+-]?[0-9]{1,40}([.][0-9]{1,40})?")
_TRUE = (True, 1, "true", "1")
_FALSE = (False, 0, "false", "0")


def as_integer(value: Value, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise ApiError(Code.VALIDATION, f"{name} is not an integer")


def as_number(value: Value, name: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    raise ApiError(Code.VALIDATION, f"{name} is not a number")


def as_boolean(value: Value, name: str) -> bool:
    if isinstance(value, bool | int | str):
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
    raise ApiError(Code.VALIDATION, f"{name} is not a boolean")


def as_text(value: Value, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ApiError(Code.VALIDATION, f"{name} is not text")


def as_object(value: Value, name: str) -> Fields:
    if isinstance(value, dict):
        return value
    if is_empty(value):
        return {}
    raise ApiError(Code.VALIDATION, f"{name} is not an object")


def as_list(value: Value) -> list[Value]:
    """A one-item list may arrive as its item: XML cannot tell the two apart without `array='true'`."""
    if isinstance(value, list):
        return value
    return [] if is_empty(value) else [value]


def is_empty(value: Value) -> bool:
    """`<x/>` is an empty list, null or empty text; in JSON the last two are how nothing is said."""
    return value is None or value == ""


class Params:
    """The parameters of one call, or of one item of a batch; read by name and type.

    A required parameter that is missing or empty is an incorrect request (400); one that is there and cannot
    be of its type fails validation (450).
    """

    def __init__(self, values: Fields) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return not is_empty(self.values.get(name))

    def raw(self, name: str) -> Value:
        if name not in self:
            raise ApiError(Code.INCORRECT_REQUEST, f"{name} is required")
        return self.values[name]

    def integer(self, name: str, default: int | None = None) -> int:
        if default is not None and name not in self:
            return default
        return as_integer(self.raw(name), name)

    def optional_integer(self, name: str) -> int | None:
        return self.integer(name) if name in self else None

    def number(self, name: str) -> float:
        return as_number(self.raw(name), name)

    def text(self, name: str, default: str | None = None) -> str:
        if default is not None and name not in self:
            return default
        return as_text(self.raw(name), name)

    def flag(self, name: str) -> bool:
        return name in self and as_boolean(self.values[name], name)

    def object(self, name: str) -> Fields:
        if name not in self.values:
            raise ApiError(Code.INCORRECT_REQUEST, f"{name} is required")
        return as_object(self.values[name], name)

    def objects(self, name: str) -> list[Fields]:
        return [as_object(item, name) for item in as_list(self.raw(name))]

    def optional_objects(self, name: str) -> list[Fields]:
        return self.objects(name) if name in self else []

    def items(self, name: str) -> list[Value]:
        return as_list(self.values.get(name))

    def texts(self, name: str) -> list[str]:
        return [as_text(item, name) for item in self.items(name)]

    def integers(self, name: str) -> list[int]:
        return [as_integer(item, name) for item in self.items(name)]

    def pick(self, names: Iterable[str]) -> Fields:
        """Those of the named parameters that were sent, as they were sent."""
        return {name: self.values[name] for name in names if name in self.values}
