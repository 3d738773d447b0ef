"""The whole log of a gateway: the lines of calls, the lines of events, and the one sink that both go to.

The sink lives as long as the process; how lines look and which are written may change while it runs.
"""

import math
from collections.abc import Callable

from gateway.observe.calllog import CallLog, Choice
from gateway.observe.events import configure_logging
from gateway.observe.kinds import Kind
from gateway.observe.lines import Render, renderer
from gateway.observe.sink import LogSink, Stream
from gateway.records import CallRecord
from gateway.settings.sections import Log as LogSettings
from gateway.terminal import Terminal


class Log:
    """`mask` gives back what it is given, without tokens. `terminal` is who reads `stream`; `chance` gives
    numbers evenly spread over 0..1."""

    def __init__(
        self,
        stream: Stream,
        mask: Callable[[bytes], bytes],
        settings: LogSettings,
        terminal: Terminal,
        chance: Callable[[], float],
    ) -> None:
        self._sink = LogSink(stream, mask)
        self._terminal = terminal
        self._chance = chance
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
        self._undo = configure_logging(self._sink.write, self._render(settings), settings.level.value)

    def call(self, record: CallRecord, kind: Kind | None = None) -> None:
        """The line of a call that has ended. `kind`: its own, where it is known."""
        self._calls.call(record, kind)

    def close(self) -> None:
        """Write what is left."""
        if self._undo is not None:
            self._undo()
            self._sink.close()

    def _call_log(self, settings: LogSettings) -> CallLog:
        slow = math.inf if settings.slow is None else settings.slow
        choice = Choice(settings.calls.value, settings.sample, slow)
        return CallLog(self._sink.write, self._render(settings), choice, self._chance)

    def _render(self, settings: LogSettings) -> Render:
        return renderer(settings.format.value, self._terminal)
