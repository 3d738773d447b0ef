"""Log lines for people: columns that stand under one another, and colours where a terminal shows them.

    time  level  code  method  duration  origin  what else there is to say     a call
    time  level  sentence  [who says it]                                        an event

What is as it usually is, is left out, and of events the fields, which repeat the sentence. Nothing that a
caller chose can begin a new line or look like another field: what is not plainly one word stands in quotes,
escaped as in JSON. Tokens stay findable for the redactor, since colours go around whole values only.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.records import failed
from gateway.terminal import Paint, Terminal

METHOD_WIDTH = 28
"""Nine in ten names of the catalogue are shorter; a longer one moves the rest of its line."""

SHORTEST = 0.001
"""Seconds: what took less is not worth a reader's time."""

_word = re.compile(r"[!#-<>-~]+")  # visible ASCII, but for the quote and the sign between name and value

_LEVELS: Mapping[str, tuple[str, Paint]] = {
    "debug": ("debug", Paint.DIM),
    "info": ("info", Paint.NONE),
    "warning": ("warn", Paint.YELLOW),
    "error": ("error", Paint.RED),
    "critical": ("error", Paint.RED),
}
_ASIDE = ("error", "error_text", "flight", "cache", "attempts", "duplicate", "status", "account", "caller")
"""What a line says first behind its columns."""
_SHOWN = frozenset(
    {"time", "level", "logger", "message", "exception", "api_method", "called", "code", "seconds", "origin"}
    | {"request_bytes", "reply_bytes", "upstream_seconds"}
)
"""What has its place in the columns, and what only programs want."""
_USUAL: Mapping[str, object] = {"account": "default", "status": 200, "attempts": 1}


class TextLines:
    """Writes lines for the reader of `terminal`."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def render(self, fields: Mapping[str, object]) -> bytes:
        """One line for `fields`, and below it the lines of an exception."""
        columns = self._call(fields) if "api_method" in fields else self._event(fields)
        lines = ["  ".join([*self._head(fields), *columns]).rstrip()]
        # Indented, so that no line of it passes for a line of the log.
        lines.extend(f"    {_printable(line)}" for line in str(fields.get("exception", "")).splitlines())
        return "".join(f"{line}\n" for line in lines).encode()

    def _head(self, fields: Mapping[str, object]) -> list[str]:
        moment = fields["time"]
        assert isinstance(moment, datetime)
        word, paint = _level(fields)
        paint_of = self._terminal.paint
        return [paint_of(self._terminal.clock(moment), Paint.DIM), paint_of(f"{word:5}", paint)]

    def _event(self, fields: Mapping[str, object]) -> list[str]:
        said = _printable(str(fields["message"]))
        _, paint = _level(fields)
        who = _value(str(fields["logger"]).removeprefix("gateway."))
        paint_of = self._terminal.paint
        return [paint_of(said, paint), paint_of(f"[{who}]", Paint.DIM)]

    def _call(self, fields: Mapping[str, Any]) -> list[str]:
        """`fields` are those of a CallRecord."""
        code, origin = fields["code"], str(fields["origin"])
        paint = Paint.GREEN if code == 0 else Paint.RED if origin == "gateway" else Paint.YELLOW
        paint_of = self._terminal.paint
        return [
            paint_of(f"{'-' if code is None else code:>4}", paint),
            paint_of(f"{_name(fields):{METHOD_WIDTH}}", Paint.BOLD),
            f"{fields['seconds'] * 1000:8.1f} ms",
            paint_of(f"{origin:8}", Paint.NONE if origin in ("upstream", "gateway") else Paint.CYAN),
            paint_of(("slow " if _is_only_slow(fields) else "") + _aside(fields), Paint.DIM),
        ]


def _level(fields: Mapping[str, object]) -> tuple[str, Paint]:
    level = str(fields["level"])
    return _LEVELS.get(level, (level, Paint.NONE))  # a library may have levels of its own


def _is_only_slow(fields: Mapping[str, Any]) -> bool:
    """Whether a call is worth a warning for its time alone: everything else that makes one is in its line."""
    return fields["level"] == "warning" and not failed(fields["code"], fields["error"], fields["status"])


def _aside(fields: Mapping[str, object]) -> str:
    """What has no column of its own and is not as it usually is."""
    rest = [name for name in fields if name not in _SHOWN]
    names = dict.fromkeys((*_ASIDE, *rest))
    said = {name: fields[name] for name in names if name in fields}
    return " ".join(
        f"{name}={_value(value)}"
        for name, value in said.items()
        if value and _USUAL.get(name) != value and not _is_moment(value)
    )


def _is_moment(value: object) -> bool:
    """Seconds that nobody would notice."""
    return isinstance(value, float) and value < SHORTEST


def _name(fields: Mapping[str, object]) -> str:
    """The method as the catalogue names it, else as it was called."""
    if fields["api_method"] == "other" and fields["called"]:
        return _value(fields["called"])
    return _value(fields["api_method"])


def _printable(text: str) -> str:
    """`text` on one line. What is printable stays as it is, so that the redactor finds tokens in it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case tuple():
            return ",".join(map(_value, value))
        case str() if not _word.fullmatch(value):
            return json.dumps(value)
        case _:
            return str(value)
