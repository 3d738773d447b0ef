"""How one log line is written: as JSON, or as text (see `textlines`).

A line is a mapping from stable field names (docs/reference/log.md) to values. Nothing that a caller chose can
begin a new line or another field.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from gateway.observe.textlines import TextLines
from gateway.terminal import NOBODY, Terminal

LogFormat = Literal["json", "text"]
Fields = Mapping[str, object]
Render = Callable[[Fields], bytes]

_encoder = msgspec.json.Encoder()


def renderer(style: LogFormat, terminal: Terminal = NOBODY) -> Render:
    """`terminal` is who reads the text; JSON is for programs, whoever looks on."""
    return render_json if style == "json" else TextLines(terminal).render


def moment(seconds: float) -> datetime:
    """The value of the field `time`, from seconds since the epoch; written as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def render_json(fields: Fields) -> bytes:
    try:
        return _encoder.encode(fields) + b"\n"
    except UnicodeEncodeError:
        # Lone surrogates stand for bytes that are no UTF-8, of a caller or of a file's name.
        return _encoder.encode({name: _encodable(value) for name, value in fields.items()}) + b"\n"


def _encodable(value: object) -> object:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
