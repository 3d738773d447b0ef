"""One log line per call: the fields of its record under their own names, so those names are promised."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict, astuple, fields

from gateway.observe.lines import Fields, Render, moment, render_json
from gateway.records import CallRecord, failed

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
        self._line = _json if render is render_json else self._by_fields
        self._chance = chance
        self._any = choice.calls != "none"
        self._share = choice.sample if choice.calls == "all" else 0.0
        self._slow = choice.slow

    def call(self, record: CallRecord) -> None:
        """Logs a call that has ended, if it is to be logged."""
        if not self._any:
            return
        remarkable = record.seconds >= self._slow or has_failed(record)
        if remarkable or self._share == 1.0 or self._chance() < self._share:
            self._write(self._line(record, remarkable))

    def _by_fields(self, record: CallRecord, remarkable: bool) -> bytes:
        return self._render(_fields(record, remarkable))


def has_failed(record: CallRecord) -> bool:
    """Whether somebody may have to look at it: any error code, an HTTP error, or a caller that was gone."""
    return failed(record.code, record.error, record.status)


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


_NAMES = [field.name for field in fields(CallRecord)][1:-1]  # those between the time and the trace
_Line: Any = msgspec.defstruct(
    "_Line",
    ["time", "level", "logger", "message", *_NAMES, ("trace_id", Any, UNSET), ("span_id", Any, UNSET)],
    gc=False,
)
"""The same line for the encoder: every call has one, and as a dictionary it would cost three times more."""

_encoder = msgspec.json.Encoder()


def _json(record: CallRecord, remarkable: bool) -> bytes:
    _, *values, trace = astuple(record)
    level = "warning" if remarkable else "info"
    line = _Line(moment(record.time), level, "gateway.calls", "call", *values)
    line.seconds = round(record.seconds, 6)
    line.upstream_seconds = round(record.upstream_seconds, 6)
    line.queue_seconds = round(record.queue_seconds, 6)
    if trace is not None:
        line.trace_id, line.span_id = trace.context.trace_id, trace.context.span_id
    try:
        return _encoder.encode(line) + b"\n"
    except UnicodeEncodeError:
        return render_json(_fields(record, remarkable))
