"""One log line per call: the fields of its record under their own names, so those names are promised."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import asdict

from gateway.observe.kinds import KINDS, Kind, kind_of
from gateway.observe.lines import Fields, Render, moment, render_json
from gateway.records import CallRecord
from gateway.remembered import Remembered

LoggedCalls = Literal["all", "errors", "none"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which calls get a line. One that has failed or was slow gets it unless none does."""

    calls: LoggedCalls = "all"
    sample: float = 1.0  # 0..1, of the calls that went well and were quick
    slow: float = math.inf  # seconds


class CallLog:
    """`write` takes whole lines (see `sink`); `chance` gives numbers evenly spread over 0..1."""

    def __init__(
        self, write: Callable[[bytes], None], render: Render, choice: Choice, chance: Callable[[], float]
    ) -> None:
        self._write = write
        self._render = render
        self._line = _JsonLines().line if render is render_json else self._by_fields
        self._chance = chance
        self._any = choice.calls != "none"
        self._share = choice.sample if choice.calls == "all" else 0.0
        self._slow = choice.slow

    def call(self, record: CallRecord, kind: Kind | None = None) -> None:
        """Logs a call that has ended, if it is to be logged. `kind`: its own, where it is known."""
        if not self._any:
            return
        kind = kind or kind_of(record)
        remarkable = kind.failed or record.seconds >= self._slow
        if remarkable or self._share == 1.0 or self._chance() < self._share:
            self._write(self._line(record, kind, remarkable))

    def _by_fields(self, record: CallRecord, kind: Kind, remarkable: bool) -> bytes:
        return self._render(_fields(record, remarkable))


def _fields(record: CallRecord, remarkable: bool) -> Fields:
    found = {
        "time": None,  # its place is at the front
        "level": "warning" if remarkable else "info",
        "logger": "gateway.calls",
        "message": "call",
        **asdict(record),
    }
    found["time"] = moment(record.time)
    trace = found.pop("trace")
    if trace is not None:
        found["trace_id"], found["span_id"] = trace.context.trace_id, trace.context.span_id
    for name in ("seconds", "upstream_seconds", "queue_seconds"):
        found[name] = round(found[name], 6)  # a microsecond is as fine as they can be trusted
    return found


_Line: Any = msgspec.defstruct(
    "_Line",
    [
        *("time", "level", "request_id", "code", "seconds", "upstream_seconds", "queue_seconds"),
        *("request_bytes", "reply_bytes", ("trace_id", Any, UNSET), ("span_id", Any, UNSET)),
    ],
    gc=False,
)
"""A line for the encoder. `level` and `code` stand for themselves and for what follows them, names and all,
up to the next one: see _Common."""

_encoder = msgspec.json.Encoder()


class _Common:
    """What the lines of a kind have in common, as it is written there."""

    __slots__ = ("called", "error_text", "from_code", "from_level")

    def __init__(self, record: CallRecord, remarkable: bool) -> None:
        self.called = record.called
        self.error_text = record.error_text
        fields = _fields(record, remarkable)
        names = list(fields)
        request_id, code, seconds = map(names.index, ("request_id", "code", "seconds"))
        self.from_level = _values(fields, names[1:request_id])
        self.from_code = _values(fields, names[code:seconds])

    def is_of(self, record: CallRecord) -> bool:
        """Whether it is of a record of its kind: nearly always, since a method is called by its name."""
        return self.called == record.called and self.error_text == record.error_text


def _values(fields: Fields, names: list[str]) -> Raw:
    """What stands in a line from the first one's value to the last one's."""
    text = _encoder.encode({name: fields[name] for name in names})
    return Raw(text[len(f'{{"{names[0]}":') : -1])


class _JsonLines:
    """Writes what `render_json` would write of a call's fields, byte for byte; but what the calls of a kind
    have in common only once."""

    def __init__(self) -> None:
        self._common = {remarkable: Remembered[Kind, _Common](KINDS) for remarkable in (False, True)}

    def line(self, record: CallRecord, kind: Kind, remarkable: bool) -> bytes:
        try:
            common = self._common[remarkable].get(kind)
            if common is None or not common.is_of(record):
                common = _Common(record, remarkable)
                self._common[remarkable].put(kind, common)
            line = _Line(
                moment(record.time),
                common.from_level,
                record.request_id,
                common.from_code,
                round(record.seconds, 6),
                record.upstream_seconds and round(record.upstream_seconds, 6),  # of most, one is zero
                record.queue_seconds and round(record.queue_seconds, 6),
                record.request_bytes,
                record.reply_bytes,
            )
            if record.trace is not None:
                line.trace_id = record.trace.context.trace_id
                line.span_id = record.trace.context.span_id
            return _encoder.encode(line) + b"\n"
        except UnicodeEncodeError:
            return render_json(_fields(record, remarkable))
