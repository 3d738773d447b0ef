"""Elements of a page. Text is always escaped: only what was made here passes for markup."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_VOID = frozenset({"input", "link", "meta", "br"})


@dataclass(frozen=True, slots=True)
class Html:
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


def _markup(child: object) -> str:
    match child:
        case None:
            return ""
        case Html():
            return child.markup
        case str():
            return escape(child)
        case int():
            return str(child)
        case Iterable():
            return "".join(map(_markup, child))
        case _:
            raise TypeError(f"not a part of a page: {type(child).__name__}")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    spelt = name.removesuffix("_").replace("_", "-")
    return f" {spelt}" if value is True else f' {spelt}="{escape(str(value))}"'
