"""Whatever is logged by whomever comes out in one format and past one redaction."""

import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gateway.observe.events import EventHandler, LogLevel, configure_logging
from gateway.observe.lines import LogFormat, renderer
from gateway.occurrence import event


class Output:
    """Takes lines as a sink does."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line)

    def parsed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def output() -> Output:
    return Output()


@pytest.fixture
def logs(output: Output) -> Iterator[Output]:
    """Logging as JSON at level info, and as it was afterwards."""
    undo = configure_logging(output.write, renderer("json"), "info")
    yield output
    undo()


def test_a_record_is_one_line(logs: Output) -> None:
    logging.getLogger("gateway.app").info("listening on %s", "127.0.0.1:8080")

    [line] = logs.parsed()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line.pop("time"))
    assert line == {"level": "info", "logger": "gateway.app", "message": "listening on 127.0.0.1:8080"}


def test_an_event_with_a_name_has_it_and_its_fields_in_the_line(logs: Output) -> None:
    extra = event("breaker_changed", account="eu", state="open")
    logging.getLogger("gateway.ways").warning("the breaker of %s is open", "eu", extra=extra)

    [line] = logs.parsed()
    del line["time"]
    assert line == {
        "level": "warning",
        "logger": "gateway.ways",
        "message": "the breaker of eu is open",
        "event": "breaker_changed",
        "account": "eu",
        "state": "open",
    }


def test_the_level_is_the_one_that_was_asked_for(logs: Output) -> None:
    logging.getLogger("gateway.app").debug("not wanted")

    assert logs.lines == []


def test_an_exception_comes_as_its_traceback_without_local_variables(logs: Output) -> None:
    def fail(local: str) -> None:
        raise ValueError("what happened")

    try:
        fail("s3cret-local-value")
    except ValueError:
        logging.getLogger("gateway.app").exception("it failed")

    [line] = logs.parsed()
    assert (line["level"], line["message"]) == ("error", "it failed")
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: what happened")
    assert line["exception"].count("s3cret-local-value") == 1  # in the source line that calls, not as a value


def test_libraries_come_out_the_same_way(logs: Output) -> None:
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 1)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    logging.getLogger("asyncio").error("Task exception was never retrieved")

    assert [(line["logger"], line["message"]) for line in logs.parsed()] == [
        ("uvicorn.error", "Exception in ASGI application"),
        ("asyncio", "Task exception was never retrieved"),
    ]


def test_warnings_come_out_the_same_way(logs: Output) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)  # pytest took the place of the hook
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)

    [line] = logs.parsed()
    assert line["logger"] == "py.warnings"
    assert "DeprecationWarning: soon gone" in line["message"]


def test_httpx_does_not_print_the_urls_it_calls(logs: Output) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))

    with httpx.Client(transport=transport) as client:
        client.post("https://example.com/api/v1.1/profiles/get?token=s3cret")

    assert logs.lines == []


def test_a_record_that_cannot_be_rendered_shows_where_it_is_and_not_what_it_holds(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("gateway.app", logging.INFO, "app.py", 12, "two %s %s", ("s3cret",), None)

    EventHandler(output.write, renderer("json")).handle(record)

    [line] = output.parsed()
    assert line["message"] == "a log record of app.py:12 could not be rendered"
    assert "s3cret" not in str(line)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("style", "level", "expected"),
    [
        pytest.param("text", "info", ["info", "error"], id="another format"),
        pytest.param("json", "error", ["error"], id="another level"),
    ],
)
def test_a_reload_replaces_format_and_level(
    logs: Output, style: LogFormat, level: LogLevel, expected: list[str]
) -> None:
    later = Output()
    configure_logging(later.write, renderer(style), level)

    logging.getLogger("gateway.app").info("some info")
    logging.getLogger("gateway.app").error("some error")

    assert logs.lines == []
    assert [re.findall(rb"info|error", line)[0].decode() for line in later.lines] == expected
    assert all(line.startswith(b"{") == (style == "json") for line in later.lines)


def test_taking_it_back_leaves_logging_as_it_was(output: Output) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    configure_logging(output.write, renderer("json"), "debug")()

    assert (root.level, list(root.handlers)) == before


def test_nothing_is_configured_by_importing() -> None:
    assert not [handler for handler in logging.getLogger().handlers if isinstance(handler, EventHandler)]
