"""A profile's fields: plain and functional values, and the types of a database's fields.

A functional value is `{action, value, submatch}` (platform documentation, "Functional fields"): set, unset
and delete end in the same state when repeated; incr and add do not.
"""

import re
from collections.abc import Mapping

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.records import FieldType
from gateway.sandbox.values import (
    Fields,
    Value,
    as_boolean,
    as_integer,
    as_list,
    as_number,
    as_object,
    as_text,
)

_ACTIONS = frozenset({"set", "unset", "incr", "add", "delete", "upsert"})
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,63}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def field_name(name: str, types: Mapping[str, FieldType]) -> str:
    """The database's spelling: the pages disagree on the underscore of system fields, so both are taken."""
    if not _NAME.fullmatch(name):
        raise ApiError(Code.VALIDATION, f"{name!r} is not a field name")
    return f"_{name}" if name not in types and f"_{name}" in types else name


def typed(name: str, value: Value, kind: FieldType | None) -> Value:
    """`value` as the field's type; a field that the database does not know keeps what was sent."""
    match kind:
        case FieldType.INTEGER:
            return as_integer(value, name)
        case FieldType.NUMBER:
            return as_number(value, name)
        case FieldType.BOOLEAN:
            return as_boolean(value, name)
        case FieldType.LIST:
            return as_list(value)
        case FieldType.TEXT:
            return "" if value is None else as_text(value, name)
        case FieldType.EMAIL:
            return _email(name, value)
        case None:
            return value


def _email(name: str, value: Value) -> str:
    address = "" if value is None else as_text(value, name)
    if address and not _EMAIL.fullmatch(address):
        raise ApiError(Code.VALIDATION, f"{name} is not an e-mail address")
    return address


def changed(current: Fields, changes: Fields, types: Mapping[str, FieldType]) -> Fields:
    """`current` with `changes`, as a new dictionary: a refused change leaves no trace."""
    result = dict(current)
    for sent_name, change in changes.items():
        name = field_name(sent_name, types)
        if is_functional(change):
            _act(result, name, as_object(change, name), types.get(name))
        else:
            result[name] = typed(name, change, types.get(name))
    return result


def is_functional(value: Value) -> bool:
    return isinstance(value, dict) and "action" in value and value.keys() <= {"action", "value", "submatch"}


def _act(fields: Fields, name: str, change: Fields, kind: FieldType | None) -> None:
    action, value, submatch = change["action"], change.get("value"), change.get("submatch")
    if action not in _ACTIONS:
        raise ApiError(Code.VALIDATION, f"{name} has the unknown action {action!r}")
    current = fields.get(name)
    match action:
        case "set":
            fields[name] = typed(name, value, kind)
        case "unset":
            fields.pop(name, None)
        case "incr":
            fields[name] = _sum(name, 0 if current is None else current, 1 if value is None else value)
        case "add":
            fields[name] = [*as_list(current), *as_list(value)]
        case "delete":
            fields[name] = [item for item in as_list(current) if not _matches(item, value, submatch)]
        case _:
            kept = [item for item in as_list(current) if not _matches(item, value, submatch)]
            fields[name] = [*kept, *as_list(value)]


def _sum(name: str, current: Value, step: Value) -> int | float:
    """Whole numbers stay whole: a counter of 2**60 must not lose a unit to a float."""
    try:
        return as_integer(current, name) + as_integer(step, name)
    except ApiError:
        return as_number(current, name) + as_number(step, name)


def _matches(item: Value, value: Value, submatch: Value) -> bool:
    """`submatch` names the field by which two objects of a list are the same one."""
    if submatch is None or submatch == "":
        return item in as_list(value)
    key = as_text(submatch, "submatch")
    wanted = [other.get(key) for other in as_list(value) if isinstance(other, dict)]
    return isinstance(item, dict) and item.get(key) in wanted
