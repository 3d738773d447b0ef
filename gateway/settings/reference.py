"""The tables of docs/reference/settings.md, made from the model so that the page cannot say something else.

The prose around them is written by hand; a test compares the rest. To renew the page:

    >>> path = Path("docs/reference/settings.md")
    >>> path.write_text(renewed(path.read_text()))
"""

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.settings.environment import variable
from gateway.settings.methods import MethodRule
from gateway.settings.model import Account, Settings
from gateway.settings.section import Section
from gateway.settings.structure import hints_of, is_nullable, plain, section_of, spelling_of

BEGIN = "<!-- made from the model by gateway.settings.reference: begin -->\n"
END = "<!-- end -->\n"

_WORDS: Mapping[Any, str] = {
    bool: "`true` or `false`",
    int: "integer",
    float: "number",
    str: "text",
    Any: "type",
}


def renewed(page: str) -> str:
    """The page with its tables as the model has them now; ValueError when it has no place for them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page lacks the two marks")
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def tables() -> str:
    """All keys, section by section, in the order of config.yaml."""
    rows = list(_rows(Settings, Settings()))
    parts = [_table("Top level", "", [row for row in rows if section_of(row.hint) is None], variables=True)]
    for row in rows:
        section = section_of(row.hint)
        if section is not None:
            parts.append(_table(f"`{row.path[0]}`", _about(section), _leaves(row), variables=True))
    parts.append(_table("`methods.<method>`", _about(MethodRule), _rows(MethodRule), variables=False))
    parts.append(_table("`accounts.<name>`", _about(Account), _rows(Account), variables=False))
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Row:
    path: tuple[str, ...]
    hint: Any
    field: FieldInfo
    default: Any


def _rows(
    section: type[Section], values: Section | None = None, path: tuple[str, ...] = ()
) -> Iterator[_Row]:
    """The keys of a section; their defaults are those in `values`, or the section's own."""
    for key, hint in hints_of(section).items():
        field = section.model_fields[key]
        default = field.get_default(call_default_factory=True) if values is None else getattr(values, key)
        yield _Row((*path, key), hint, field, default)


def _leaves(row: _Row) -> Iterator[_Row]:
    """The row, or the rows of the section that it is, and of those within it."""
    section = section_of(row.hint)
    if section is None:
        yield row
        return
    for inner in _rows(section, row.default if isinstance(row.default, Section) else None, row.path):
        yield from _leaves(inner)


def _table(title: str, about: str, rows: Iterable[_Row], *, variables: bool) -> str:
    heads = ["key", "type", "default", "meaning", *(["variable"] if variables else [])]
    lines = [f"## {title}", "", *([about, ""] if about else []), _line(heads), _line(["---"] * len(heads))]
    for row in rows:
        cells = [f"`{'.'.join(row.path)}`", _kind(row.hint), _default(row), row.field.description or ""]
        lines.append(_line(cells + ([f"`{variable(row.path)}`"] if variables else [])))
    return "\n".join([*lines, ""])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _about(section: type[Section]) -> str:
    return inspect.getdoc(section) or ""


def _kind(hint: Any) -> str:
    word = _word(hint)
    return f"{word}, or `null`" if is_nullable(hint) else word


def _word(hint: Any) -> str:
    """The type in an operator's words."""
    spelling = spelling_of(hint)
    kind = plain(hint)
    if spelling is not None:
        return spelling.kind.removeprefix("an ").removeprefix("a ").removeprefix("the ")
    section = section_of(hint)
    if section is not None:
        return re.sub("(?<=[a-z])(?=[A-Z])", " ", section.__name__).lower()
    if get_origin(kind) is tuple:
        return f"list: {_word(get_args(kind)[0])}"
    if get_origin(kind) is Mapping:
        return f"map: {_word(get_args(kind)[0])} to {_word(get_args(kind)[1])}"
    if kind is not Any and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    return _WORDS[kind]


def _default(row: _Row) -> str:
    value, spelling = row.default, spelling_of(row.hint)
    if value is PydanticUndefined:
        return "required"
    if spelling is not None and value is not None:
        return f"`{spelling.write(value)}`"
    if isinstance(value, str):
        return f"`{value}`"
    return f"`{json.dumps(dict(value) if isinstance(value, Mapping) else value)}`"
