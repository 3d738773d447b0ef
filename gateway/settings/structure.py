"""Walking the model by keys: which part of it a path of keys leads to."""

from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from gateway.settings.section import Section
from gateway.settings.spelling import Spelling

KeyPath = tuple[str | int, ...]
"""Keys from the top of the settings, and positions in lists."""


def dotted(path: KeyPath) -> str:
    """The path as operators read it: upstream.timeouts.total"""
    return ".".join(str(part) for part in path)


def hints_of(section: type[Section]) -> dict[str, Any]:
    """The types of the section's keys, with their metadata."""
    hints = get_type_hints(section, include_extras=True)
    return {key: hints[key] for key in section.model_fields}


def plain(hint: Any) -> Any:
    """The type without `| None` and metadata."""
    if get_origin(hint) is Annotated:
        return plain(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return plain(next(arm for arm in get_args(hint) if arm is not NoneType))
    return hint


def section_of(hint: Any) -> type[Section] | None:
    """The section that a value of this type is, if it is one."""
    kind = plain(hint)
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def descend(hint: Any, key: str | int) -> Any:
    """The type of what is under `key` in a value of this type; None where nothing is known of it."""
    section = section_of(hint)
    if section is not None:
        return hints_of(section).get(str(key))
    kind = plain(hint)
    if get_origin(kind) is Mapping:
        return plain(get_args(kind)[1])
    return None


def section_at(top: type[Section], path: KeyPath) -> type[Section] | None:
    """The section that a path leads to, if it leads to one."""
    hint: Any = top
    for part in path:
        hint = descend(hint, part)
    return section_of(hint)


def is_text(hint: Any) -> bool:
    """Whether values of this type are written as plain text, so that a variable is taken as it is."""
    return spelling_of(hint) is not None or (
        isinstance(plain(hint), type) and issubclass(plain(hint), str | Enum | PurePath)
    )


def is_nullable(hint: Any) -> bool:
    """Whether null may be written."""
    return NoneType in get_args(hint)


def spelling_of(hint: Any) -> Spelling | None:
    """The spelling of the type, if its values have one of their own."""
    if get_origin(hint) in (Union, UnionType):
        return next(filter(None, map(spelling_of, get_args(hint))), None)
    if get_origin(hint) is Annotated:
        return next((mark for mark in get_args(hint)[1:] if isinstance(mark, Spelling)), None)
    return None


def keys_of(top: type[Section], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key of the model that has a fixed name, sections before what is in them, with its type."""
    for key, hint in hints_of(top).items():
        yield (*path, key), hint
        section = section_of(hint)
        if section is not None:
            yield from keys_of(section, (*path, key))
