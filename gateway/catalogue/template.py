"""Tag templates: how a method's entry says what a read depends on and what a write changes.

    db:{db_id}   one thing of the kind `db`, named by a parameter of the call
    db:7         one thing, always the same
    db:*         as a read: all things of the kind; as a write: a thing that no read names yet (a new one)
    profiles     a plain tag; the first segment of a read's own name is its family and always carried
    *            everything under the base URL

Only the form is known here. What a template means for one call is `gateway.policy.tags`.
"""

import re
from dataclasses import dataclass

EVERYTHING = "*"
"""The base URL's own tag, which every read carries."""

_FORM = re.compile(
    r"""(?P<kind>[A-Za-z0-9_-]+)
        (?: : (?: \{(?P<parameter>[A-Za-z0-9_-]+)\} | (?P<value>\*|[A-Za-z0-9_.-]+) ) )?""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class TagTemplate:
    """One template. At most one of `parameter` and `value` is there; a plain tag has neither."""

    text: str
    kind: str
    parameter: str | None = None
    value: str | None = None


def parse(text: str) -> TagTemplate:
    """The template that `text` spells; ValueError when it spells none."""
    if text == EVERYTHING:
        return TagTemplate(text, EVERYTHING)
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"{text!r} is not a tag: write kind:{{parameter}}, kind:*, a family or *")
    return TagTemplate(text, form["kind"], form["parameter"], form["value"])
