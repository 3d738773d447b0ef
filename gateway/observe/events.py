"""What happens beside the calls (start, reload, rotation, and what libraries report) as log lines.

Everything goes through standard logging and ONE handler on the root logger, so that uvicorn's records and
warnings come out in the same format and past the same redaction. Nothing here writes to a stream.
"""

import logging
from collections.abc import Callable
from typing import Literal

from gateway import occurrence
from gateway.observe.lines import Fields, Render, moment

LogLevel = Literal["debug", "info", "warning", "error"]

# At INFO the first two print each URL, which may carry a token; the line per call says all that is of use.
# uvicorn's says when it starts and stops, which the gateway says itself.
TOO_CHATTY = ("httpx", "httpcore", "uvicorn.error")


def configure_logging(write: Callable[[bytes], None], render: Render, level: LogLevel) -> Callable[[], None]:
    """Sends all records to `write`; the function it returns takes that back.

    A later call, at a reload, replaces the handler of the earlier one. uvicorn must be run with
    `log_config=None`, or it would put handlers of its own in front.
    """
    root = logging.getLogger()
    _remove_handler(root)
    root.addHandler(EventHandler(write, render))
    root.setLevel(level.upper())
    for name in TOO_CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)

    def undo() -> None:
        _remove_handler(root)
        root.setLevel(logging.WARNING)
        logging.captureWarnings(False)

    return undo


def _remove_handler(root: logging.Logger) -> None:
    for handler in [handler for handler in root.handlers if isinstance(handler, EventHandler)]:
        root.removeHandler(handler)


class EventHandler(logging.Handler):
    """Renders records as log lines. An exception comes as its traceback, which holds no local variables."""

    def __init__(self, write: Callable[[bytes], None], render: Render) -> None:
        super().__init__()
        self._write = write
        self._render = render
        self._tracebacks = logging.Formatter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self._render(self._fields(record)))
        except Exception:  # noqa: BLE001 - a record that cannot be rendered must not fail whoever logged it
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Says where the bad record came from. The inherited one prints its arguments to stderr, unmasked."""
        lost = f"a log record of {record.pathname}:{record.lineno} could not be rendered"
        self._write(self._render(self._head(record, lost)))

    def _fields(self, record: logging.LogRecord) -> Fields:
        fields = self._head(record, record.getMessage())
        fields.update(occurrence.of(record))
        if record.exc_info:
            fields["exception"] = self._tracebacks.formatException(record.exc_info)
        return fields

    def _head(self, record: logging.LogRecord, message: str) -> dict[str, object]:
        return {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
        }
