"""The whole log of a gateway: the lines of calls, the lines of events, and the one sink that both go to.

The sink lives as long as the process; how lines look and which are written may change while it runs.
"""

from collections.abc import Callable

from gateway.observe.calllog import CallLog
from gateway.observe.events import configure_logging
from gateway.observe.sink import LogSink, Stream
from gateway.records import CallRecord
from gateway.settings.sections import Log as LogSettings


class Log:
    """`mask` gives back what it is given, without tokens."""

    def __init__(self, stream: Stream, mask: Callable[[bytes], bytes], settings: LogSettings) -> None:
        self._sink = LogSink(stream, mask)
        self._settings = settings
        self._calls = self._call_log(settings)
        self._undo: Callable[[], None] | None = None

    def start(self) -> None:
        """From now on, what any part of the process logs is written too."""
        self._sink.start()
        self.configure(self._settings)

    def configure(self, settings: LogSettings) -> None:
        """Other settings for all lines from now on."""
        self._settings = settings
        self._calls = self._call_log(settings)
        self._undo = configure_logging(self._sink.write, settings.format.value, settings.level.value)

    def call(self, record: CallRecord) -> None:
        """The line of a call that has ended."""
        self._calls.call(record)

    def close(self) -> None:
        """Write what is left."""
        if self._undo is not None:
            self._undo()
            self._sink.close()

    def _call_log(self, settings: LogSettings) -> CallLog:
        return CallLog(self._sink.write, settings.format.value, settings.calls.value)
