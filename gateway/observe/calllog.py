"""One log line per call: the fields of its record under their own names, so those names are promised."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import asdict

from gateway.observe.lines import Fields, Render, moment
from gateway.records import CallRecord

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
            self._write(self._render(_fields(record, remarkable)))


def has_failed(record: CallRecord) -> bool:
    """Whether somebody may have to look at it: any error code, an HTTP error, or a caller that was gone."""
    return bool(record.code or record.error or not 200 <= record.status < 400)


def _fields(record: CallRecord, remarkable: bool) -> Fields:
    fields = {
        "time": None,  # its place is at the front
        "level": "warning" if remarkable else "info",
        "logger": "gateway.calls",
        "message": "call",
        **asdict(record),
    }
    fields["time"] = moment(record.time)
    trace = fields.pop("trace")
    if trace is not None:
        fields["trace_id"], fields["span_id"] = trace.context.trace_id, trace.context.span_id
    for name in ("seconds", "upstream_seconds", "queue_seconds"):
        fields[name] = round(fields[name], 6)  # a microsecond is as fine as they can be trusted
    return fields
