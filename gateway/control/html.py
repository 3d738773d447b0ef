"""Elements of a page. Text is always escaped: only what was made here passes for markup."""

import asyncio
from collections.abc import Callable, Iterable
from html import escape
from typing import TypeVar

import msgspec

T = TypeVar("T")

ELEMENTS_PER_TURN = 20
"""Rows of a table that are made at a time: about a millisecond's work."""

_VOID = frozenset({"input", "link", "meta", "br"})


class Html(msgspec.Struct, frozen=True, gc=False):
    """Markup. Nobody else makes one from text that came from outside."""

    markup: str


Attribute = str | int | bool | None


def h(tag: str, *children: object, **attributes: Attribute) -> Html:
    """An element. Children are Html, text, numbers, None (nothing) or iterables of these.

    `class_` is class, `aria_label` is aria-label; True is an attribute without a value, None and False are
    left out.
    """
    opening = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    if tag in _VOID:
        return Html(opening)
    return Html(f"{opening}{_markup(children)}</{tag}>")


def together(*children: object) -> Html:
    """Children without an element around them."""
    return Html(_markup(children))


async def gently(make: Callable[[T], Html], items: Iterable[T]) -> list[Html]:
    """The elements of `items`, a few at a time, with a turn for everybody else on the loop in between."""
    made = []
    for number, item in enumerate(items, 1):
        made.append(make(item))
        if number % ELEMENTS_PER_TURN == 0:
            await asyncio.sleep(0)
    return made


def _markup(children: Iterable[object]) -> str:
    parts: list[str] = []
    _collect(children, parts)
    return "".join(parts)


def _collect(children: Iterable[object], parts: list[str]) -> None:
    for child in children:
        kind = type(child)
        if kind is str:
            parts.append(escape(child))  # type: ignore[arg-type]
        elif kind is Html:
            parts.append(child.markup)  # type: ignore[attr-defined]
        elif kind is int:
            parts.append(str(child))
        elif child is None:
            continue
        elif isinstance(child, Iterable):
            _collect(child, parts)
        else:
            raise TypeError(f"not a part of a page: {kind.__name__}")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelt = name.removesuffix("_").replace("_", "-")
    return f" {spelt}" if value is True else f' {spelt}="{escape(str(value))}"'
