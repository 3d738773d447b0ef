"""How one log line is written, as JSON or as text.

A line is a mapping from stable field names (docs/reference/log.md) to values. Nothing that a caller chose can
begin a new line or another field: JSON escapes it, and text quotes what is not plainly one word.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

LogFormat = Literal["json", "text"]
Fields = Mapping[str, object]
Render = Callable[[Fields], bytes]

_encoder = msgspec.json.Encoder()
_word = re.compile(r"[!#-<>-~]+")  # visible ASCII, but for the quote and the sign between name and value


def renderer(style: LogFormat) -> Render:
    return render_json if style == "json" else render_text


def moment(seconds: float) -> datetime:
    """The value of the field `time`, from seconds since the epoch; written as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def render_json(fields: Fields) -> bytes:
    try:
        return _encoder.encode(fields) + b"\n"
    except UnicodeEncodeError:
        # Lone surrogates stand for bytes that are no UTF-8, of a caller or of a file's name.
        return _encoder.encode({name: _encodable(value) for name, value in fields.items()}) + b"\n"


def render_text(fields: Fields) -> bytes:
    """`time level logger message`, then the other fields that say something, then an exception's lines."""
    shown = dict(fields)
    exception = str(shown.pop("exception", ""))
    words = [_value(shown.pop(name)) for name in ("time", "level", "logger")]
    words.append(_printable(str(shown.pop("message"))))
    words.extend(f"{name}={_value(value)}" for name, value in shown.items() if value not in (None, "", ()))
    # Indented, so that no line of it passes for a line of the log.
    lines = [" ".join(words), *(f"    {_printable(line)}" for line in exception.splitlines())]
    return "".join(f"{line}\n" for line in lines).encode()


def _encodable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _printable(text: str) -> str:
    """`text` on one line. What is printable stays as it is, so that the redactor finds tokens in it."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _value(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(map(_value, value))
        case str() if not _word.fullmatch(value):
            return json.dumps(value)
        case _:
            return str(value)
