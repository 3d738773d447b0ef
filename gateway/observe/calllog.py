"""One log line per call: the fields of its record under their own names, so those names are promised."""

from collections.abc import Callable
from typing import Literal

from msgspec.structs import asdict

from gateway.observe.lines import Fields, LogFormat, moment, renderer
from gateway.records import CallRecord

LoggedCalls = Literal["all", "errors", "none"]


class CallLog:
    """Writes the calls that `calls` asks for; `write` takes whole lines (see `sink`)."""

    def __init__(self, write: Callable[[bytes], None], style: LogFormat, calls: LoggedCalls) -> None:
        self._write = write
        self._render = renderer(style)
        self._calls = calls

    def call(self, record: CallRecord) -> None:
        """Logs a call that has ended."""
        if self._calls == "none":
            return
        failed = has_failed(record)
        if failed or self._calls == "all":
            self._write(self._render(_fields(record, failed)))


def has_failed(record: CallRecord) -> bool:
    """Whether somebody may have to look at it: any error code, an HTTP error, or a caller that was gone."""
    return bool(record.code or record.error or not 200 <= record.status < 400)


def _fields(record: CallRecord, failed: bool) -> Fields:
    fields = {
        "time": None,  # its place is at the front
        "level": "warning" if failed else "info",
        "logger": "gateway.calls",
        "message": "call",
        **asdict(record),
    }
    fields["time"] = moment(record.time)
    for name in ("seconds", "upstream_seconds", "queue_seconds"):
        fields[name] = round(fields[name], 6)  # a microsecond is as fine as they can be trusted
    return fields
