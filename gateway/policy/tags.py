"""Which tags a call has: what a read depends on, what a write changes.

A cached read is good while no tag that it carries has been changed, so the one error that matters is a write
and a read of the same thing that name it differently. Hence the rule for a tag's value: `7` and `"7"` are one
value, and everything else cannot be told: `007`, `7.0`, a list, null, a parameter that is missing or named
otherwise, and any text, since nothing says whether the platform tells `A1` from `a1`. Where a value cannot be
told,

- a read of `db:{db_id}` carries `db:*`, which every change of a `db:…` changes too;
- a write of `db:{db_id}` changes `*`, the base URL's own tag, which every read carries.

Both are careful: something may be read again for nothing, never kept in error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from gateway.catalogue.model import ApiMethod
from gateway.catalogue.template import EVERYTHING, TagTemplate, parse

MAX_DIGITS = 20
"""The longest number taken for an id: 2**64 has as many. A longer one would only be a long tag."""


@dataclass(frozen=True, slots=True, eq=False)
class TagRule:
    """The tags of one method, made ready once: what all of its calls have, and what a parameter decides."""

    modifies: bool
    always: tuple[str, ...]
    by_parameter: tuple[tuple[str, str], ...]  # (kind, parameter)

    @classmethod
    def of(cls, method: ApiMethod) -> "TagRule":
        modifies = method.effect.modifies
        templates = tuple(parse(text) for text in (method.invalidates if modifies else method.tags))
        always = [tag for template in templates for tag in _constant(template, modifies)]
        if not modifies:
            always = [EVERYTHING, method.family, *always]
        return cls(
            modifies,
            (EVERYTHING,) if modifies and EVERYTHING in always else tuple(dict.fromkeys(always)),
            tuple((template.kind, template.parameter) for template in templates if template.parameter),
        )

    def tags(self, fields: Mapping[str, msgspec.Raw]) -> tuple[str, ...]:
        """What the call carries, for a read, or changes, for a write.

        `fields` are the body's top-level fields as raw JSON, without those that the URL names as well: which
        of the two the platform takes is not documented, so their values cannot be told.
        """
        if not self.by_parameter:
            return self.always
        return self._of_texts(tuple([_short(fields.get(parameter)) for _, parameter in self.by_parameter]))

    @lru_cache(maxsize=1024)  # noqa: B019 - there are as many rules as methods
    def _of_texts(self, texts: tuple[bytes | None, ...]) -> tuple[str, ...]:
        """The same of the parameters' values: most calls are about what others were about a moment ago."""
        tags = list(self.always)
        for (kind, _), text in zip(self.by_parameter, texts, strict=True):
            value = None if text is None else _digits(text)
            if self.modifies and value is None:
                return (EVERYTHING,)
            tags.append(f"{kind}:{value or '*'}")
            if self.modifies:
                tags.append(f"{kind}:*")
        return tuple(dict.fromkeys(tags))


def changed_by(tag: str) -> tuple[str, ...]:
    """What somebody changes who says by name that `tag` has changed. ValueError for what is no tag.

    `kind:*` is everything: which values of a kind are carried, nobody counts.
    """
    template = parse(tag)
    if template.parameter is not None:
        raise ValueError(f"{tag!r} is a template: write a value, as in {template.kind}:7")
    if template.value == "*" or tag == EVERYTHING:
        return (EVERYTHING,)
    return tuple(_constant(template, modifies=True))


def told(raw: msgspec.Raw | None) -> str | None:
    """The value of a tag: a whole number in its plain spelling, quoted or not; otherwise None."""
    text = _short(raw)
    return None if text is None else _digits(text)


def _short(raw: msgspec.Raw | None) -> bytes | None:
    """What may be an id; nothing larger is kept."""
    if raw is None:
        return None
    text = bytes(raw)
    return text if len(text) <= MAX_DIGITS + 2 else None


def _digits(text: bytes) -> str | None:
    digits = text[1:-1] if text[:1] == b'"' else text
    if not digits.isdigit() or len(digits) > MAX_DIGITS or (digits[0] == ord("0") and len(digits) > 1):
        return None
    return digits.decode("ascii")


def _constant(template: TagTemplate, modifies: bool) -> Iterator[str]:
    """The tags that a template has for every call; none when a parameter decides."""
    if template.parameter is not None:
        return
    yield template.text
    if modifies and template.value is not None:
        yield f"{template.kind}:*"
