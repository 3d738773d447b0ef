"""Whether somebody is looking, and in which colours they want to see it.

Colours are for terminals only, and not where NO_COLOR is set (https://no-color.org) or the terminal has none.
Refuses to write anything.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum
from typing import Protocol


class Stream(Protocol):
    """What a stream has to say of itself."""

    def isatty(self) -> bool: ...


class Paint(Enum):
    """The few colours that are readable on dark and on light, and two weights."""

    NONE = ""
    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a stream's reader can see. `zone`: of the times that are shown; None is the machine's own."""

    attended: bool = False  # a person reads along
    colours: bool = False
    zone: tzinfo | None = UTC

    @classmethod
    def of(cls, stream: Stream, environ: Mapping[str, str]) -> "Terminal":
        """A stream that is closed, or no stream at all, has no reader."""
        try:
            attended = stream.isatty()
        except (OSError, ValueError):
            attended = False
        wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(attended, attended and wanted, None if attended else UTC)

    def paint(self, text: str, paint: Paint) -> str:
        """`text` in that colour, if this terminal shows colours."""
        if not self.colours or not text or paint is Paint.NONE:
            return text
        return f"\x1b[{paint.value}m{text}\x1b[0m"

    def clock(self, moment: datetime) -> str:
        """The time of day for a person, who knows the date; for everybody else all of it, as RFC 3339."""
        if self.attended:
            return moment.astimezone(self.zone).strftime("%H:%M:%S.%f")[:-3]
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def width(fallback: int = 80) -> int:
    """Columns of the terminal that this process belongs to."""
    try:
        return os.get_terminal_size(2).columns or fallback
    except OSError:
        return fallback


NOBODY = Terminal()
"""Of a file, a pipe, a collector."""
