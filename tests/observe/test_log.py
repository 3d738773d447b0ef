"""gateway.observe.log: the log as a whole, and its change while it runs."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from gateway.observe.log import Log
from gateway.records import CallRecord
from gateway.settings.sections import Log as LogSettings
from gateway.terminal import NOBODY

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


def settings(**values: object) -> LogSettings:
    return LogSettings.model_validate(values)


@pytest.fixture
def stream() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def log(stream: io.BytesIO) -> Iterator[Log]:
    made = Log(stream, lambda data: data.replace(b"s3cr3t", b"***"), settings(), NOBODY, lambda: 0.5)
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
    assert second.endswith("  error  loud enough  [somebody]")
    assert json.loads(third)["message"] == "now this"


def test_the_sample_and_what_is_slow_are_taken_from_the_settings(log: Log, stream: io.BytesIO) -> None:
    log.configure(settings(sample=0.25, slow="1s"))
    log.call(CALL)
    log.call(replace(CALL, seconds=1.0))
    log.configure(settings(sample=0.75, slow=None))
    log.call(replace(CALL, seconds=1000.0))
    log.close()
    slow, sampled = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (slow["seconds"], slow["level"]) == (1.0, "warning")
    assert (sampled["seconds"], sampled["level"]) == (1000.0, "info")


def test_a_log_that_was_never_started_can_be_closed(stream: io.BytesIO) -> None:
    Log(stream, lambda data: data, settings(), NOBODY, lambda: 0.5).close()
    assert stream.getvalue() == b""
