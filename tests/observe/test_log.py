"""gateway.observe.log: the log as a whole, and its change while it runs."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from gateway.observe.log import Log
from gateway.records import CallRecord
from gateway.settings.sections import Log as LogSettings

CALL = CallRecord(
    time=0.0,
    api_method="profiles/get",
    called="profiles/get",
    account="default",
    caller="",
    request_id="id",
    code=0,
    status=200,
    origin="upstream",
)


def settings(**values: str) -> LogSettings:
    return LogSettings.model_validate(values)


@pytest.fixture
def stream() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def log(stream: io.BytesIO) -> Iterator[Log]:
    made = Log(stream, lambda data: data.replace(b"s3cr3t", b"***"), settings())
    made.start()
    yield made
    made.close()


def test_calls_and_events_go_the_same_way_masked(log: Log, stream: io.BytesIO) -> None:
    log.call(CALL)
    logging.getLogger("somebody").warning("it was %s", "s3cr3t")
    log.close()
    call, event = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (call["logger"], call["api_method"]) == ("gateway.calls", "profiles/get")
    assert (event["logger"], event["message"]) == ("somebody", "it was ***")


def test_other_settings_hold_from_then_on_and_lose_no_line(log: Log, stream: io.BytesIO) -> None:
    event = logging.getLogger("somebody")
    log.call(CALL)
    log.configure(settings(format="text", calls="none", level="error"))
    log.call(CALL)
    event.warning("too quiet")
    event.error("loud enough")
    log.configure(settings(level="debug"))
    event.debug("now this")
    log.close()
    first, second, third = stream.getvalue().decode().splitlines()
    assert json.loads(first)["message"] == "call"
    assert second.endswith(" error somebody loud enough")
    assert json.loads(third)["message"] == "now this"


def test_a_log_that_was_never_started_can_be_closed(stream: io.BytesIO) -> None:
    Log(stream, lambda data: data, settings()).close()
    assert stream.getvalue() == b""
