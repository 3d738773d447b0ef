"""Finds token values in what is about to be shown, and masks them.

Masking goes by value, not by field name: a token may turn up in a URL, an error text or a platform's reply
under any name or none. What is looked for is every loaded value in every spelling that an encoder gives it:
each of its characters plain, or as JSON, XML, URLs or Python's repr write it, up to two encodings deep (a
body quoted in a reply) and once more in the JSON of a log line; in any mixture, since encoders differ in what
they escape. Only the backslash is written in one way throughout: a run of them could else be read in so many
ways that a search would not end. Also the whole in base64, wherever it starts within the encoded bytes.

This module refuses to guess: what only looks like a token stays.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from gateway.tokens.secret import Secret

Sink = Literal["log", "error", "reply", "status", "explain", "journal", "redis", "trace"]
"""Where something is shown (the label `sink` of gateway_redactions_total)."""

MASK = b"***"
_STEP = 1024 * 1024

_SELDOM = b"QXJKWYVZUHGBjqxzkwvFMPLODCNRIASTEybfmghpucdlnorsiate7698534201"
"""Letters and digits, those first that a reply is least likely to have. Only speed depends on the order."""

WORTH_KEEPING, LARGEST_KEPT, KEPT = 1024, 1024 * 1024, 4 * 1024 * 1024
"""Bytes of a reply of which it is remembered that it is clean, at least and at most; and of all of them."""

REMEMBERED = 8
"""Values kept per owner. Calls in flight and buffered lines end within minutes; a few rotations suffice."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`pattern` can match only where `needle` occurs, and looking for the needle is much cheaper."""

    needle: bytes
    pattern: re.Pattern[bytes]


class _Known:
    """What is looked for: made anew, whole, whenever a token comes."""

    __slots__ = ("_clean", "_size", "rules", "signs")

    def __init__(self, rules: tuple[_Rule, ...] = ()) -> None:
        self.rules = rules
        self.signs = _signs(rules)
        self._clean: dict[int, bytes] = {}
        self._size = 0

    def is_clean(self, data: bytes) -> bool:
        """Whether these very bytes, not others like them, are known to be clean."""
        return self._clean.get(id(data)) is data

    def remember(self, data: bytes) -> None:
        """They are clean. Kept, since else others could come to be in their place."""
        if self._size + len(data) > KEPT:
            self._clean, self._size = {}, 0
        self._clean[id(data)] = data
        self._size += len(data)


class Redactor:
    """Knows every loaded token, with the latest replaced ones. May be used from any thread.

    `count` is told each time values were masked: the sink, and how many.
    """

    def __init__(self, count: Callable[[Sink, int], None]) -> None:
        self._count = count
        self._values: dict[str, tuple[str, ...]] = {}
        self._known = _Known()

    def add(self, secret: Secret, owner: str) -> None:
        """Masks `secret` from now on. Of each `owner` (one configured token) the latest values stay known."""
        value = secret.reveal()
        kept = [old for old in self._values.get(owner, ()) if old != value]
        self._values[owner] = (*kept, value)[-REMEMBERED:]
        known = {value for values in self._values.values() for value in values}
        # The longest first: a value that begins with another one must not lose only its beginning.
        ordered = sorted(known, key=len, reverse=True)
        self._known = _Known(tuple(rule for value in ordered for rule in _rules(value)))

    def mask_reply(self, data: bytes) -> bytes:
        """`mask_bytes` for a reply."""
        return self._masked(data, "reply", self._known)

    def mask_kept(self, data: bytes) -> bytes:
        """`mask_reply` for one that the cache gives, maybe again and again: it is looked through once, and
        again only when there is another token."""
        known = self._known
        if not WORTH_KEEPING <= len(data) <= LARGEST_KEPT:
            return self._masked(data, "reply", known)
        if known.is_clean(data):
            return data
        masked = self._masked(data, "reply", known)
        if masked is data:
            known.remember(data)
        return masked

    def mask(self, text: str, sink: Sink) -> str:
        data = text.encode("utf-8", "surrogatepass")
        masked = self.mask_bytes(data, sink)
        return text if masked is data else masked.decode("utf-8", "surrogatepass")

    def mask_bytes(self, data: bytes, sink: Sink) -> bytes:
        """`data` itself when there is nothing to mask in it."""
        return self._masked(data, sink, self._known)

    def _masked(self, data: bytes, sink: Sink, known: _Known) -> bytes:
        if known.signs is not None and len(data) <= _STEP:
            for sign, needle in known.signs:
                # `in` finds a byte at once, but is slower than `find` for more of them.
                if sign in data and data.find(needle) >= 0:
                    break
            else:
                return data
        shown, total = data, 0
        for rule in known.rules:
            if _holds(shown, rule.needle):
                shown, found = rule.pattern.subn(MASK, shown)
                total += found
        if total == 0:
            return data
        self._count(sink, total)
        return shown


def _holds(data: bytes, needle: bytes) -> bool:
    """Whether `needle` is in `data`, in steps: one search of 64 MB would keep all other threads waiting."""
    if len(data) <= _STEP:
        return needle in data
    ends = range(_STEP, len(data) + _STEP, _STEP)
    return any(data.find(needle, end - _STEP, end + len(needle)) >= 0 for end in ends)


def _signs(rules: Iterable[_Rule]) -> tuple[tuple[int, bytes], ...] | None:
    """Each needle with the one of its bytes that is least to be expected: mostly it is missing, and that is
    seen at a glance."""
    needles = [rule.needle for rule in rules]
    return tuple((min(needle, key=_SELDOM.index), needle) for needle in needles) if all(needles) else None


def _rules(value: str) -> tuple[_Rule, ...]:
    plain = _Rule(_needle(value), re.compile(_any_spelling(value)))
    encoded = (
        _Rule(_needle(core), re.compile(_any_spelling(core, _URL_SAFE))) for core in _base64_cores(value)
    )
    return (plain, *encoded)


def _needle(text: str) -> bytes:
    """The longest part that every encoder leaves as it is; empty, so found everywhere, when there is none."""
    runs: list[str] = re.findall(r"[A-Za-z0-9]*", text)
    return max(runs, key=len).encode()


def _any_spelling(text: str, alternatives: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A pattern for `text` with each character in any of its spellings, or in those of its alternative."""
    backslashes = [_any_of(spellings) for spellings in _backslashes()] if "\\" in text else [b""]
    return b"|".join(
        b"".join(
            backslash if char == "\\" else _character(char, alternatives.get(char, char)) for char in text
        )
        for backslash in backslashes
    )


def _character(char: str, alternative: str) -> bytes:
    if char.isascii() and char.isalnum():
        return char.encode()
    return _any_of(_spellings(char) | _spellings(alternative))


def _any_of(spellings: Iterable[str]) -> bytes:
    longest_first = sorted({text.encode() for text in spellings}, key=lambda text: (-len(text), text))
    # Hexadecimal digits are written in both cases.
    return b"(?i:" + b"|".join(re.escape(text) for text in longest_first) + b")"


def _backslashes() -> list[list[str]]:
    """The spellings of a backslash, so divided that none is the beginning of another one in its part.

    With all of them in one pattern, a run of backslashes could be read in more ways than there is time for:
    each JSON doubles it. The longest first: a run that was escaped must not lose only its beginning.
    """
    parts: list[list[str]] = []
    for spelling in sorted(_spellings("\\"), key=lambda text: (-len(text), text)):
        for part in parts:
            if not any(longer.startswith(spelling) for longer in part):
                part.append(spelling)
                break
        else:
            parts.append([spelling])
    return parts


def _spellings(char: str) -> set[str]:
    once = {char, *_numeric(char)} | _encoded(char)
    twice = {further for text in once for further in _encoded(text)}
    return once | twice | {json.dumps(text, ensure_ascii=False)[1:-1] for text in twice}


def _encoded(text: str) -> set[str]:
    """`text` as the usual encoders write it."""
    as_json = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    as_json |= {variant for json_text in as_json for variant in _web_safe(json_text)}
    as_xml = {
        escape(text),
        escape(text, {'"': "&quot;", "'": "&apos;"}),
        escape(text, {'"': "&#34;", "'": "&#39;"}),
        escape(text, {'"': "&quot;", "'": "&#x27;"}),
        escape(text, {'"': "&quot;", "'": "&#039;"}),
    }
    as_url = {quote(text, safe=""), quote_plus(text), quote(text)}
    as_repr = {text.replace("\\", "\\\\"), text.replace("\\", "\\\\").replace("'", "\\'")}
    return as_json | as_xml | as_url | as_repr


def _web_safe(json_text: str) -> tuple[str, str]:
    """What PHP and Go escape in JSON beyond need, so that it may stand inside HTML."""
    go = json_text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return json_text.replace("/", "\\/"), go


def _numeric(char: str) -> tuple[str, ...]:
    """The forms that any character may take: some encoders escape more than they have to."""
    point = ord(char)
    units = char.encode("utf-16-be").hex(" ", 2).split()
    return (
        "".join(f"\\u{unit}" for unit in units),
        "".join(f"\\x{byte:02x}" for byte in char.encode()),
        char.encode("unicode_escape").decode(),
        f"&#{point};",
        f"&#{point:03};",
        f"&#x{point:x};",
    )


_URL_SAFE = MappingProxyType({"+": "-", "/": "_"})  # RFC 4648 section 5


def _base64_cores(value: str) -> tuple[str, ...]:
    """What base64 makes of `value` behind 0, 1 and 2 other bytes, without what its neighbours change."""
    data = value.encode()
    return tuple(_base64_core(data, before) for before in range(3))


def _base64_core(data: bytes, before: int) -> str:
    encoded = base64.b64encode(bytes(before) + data).decode()
    # A character carries 6 bits; those with a bit of a neighbour are no part of the core.
    first = -(-before * 8 // 6)
    last = (before + len(data)) * 8 // 6
    return encoded[first:last]
