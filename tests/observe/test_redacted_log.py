"""The whole way of a log line: whatever carries a token into it, none comes out."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from gateway.observe.calllog import CallLog, Choice
from gateway.observe.events import configure_logging
from gateway.observe.lines import Render, renderer
from gateway.observe.sink import LogSink
from gateway.records import CallRecord
from gateway.terminal import Terminal
from gateway.tokens.redaction import Redactor
from gateway.tokens.secret import Secret

# The letters before and behind the signs must not be found either: they would show that a part got through.
CANARY = "canary\"b<c>&d/é+%20 \\x'~😀yranac"


class Written:
    """A log over a file, as the process has it, and what came of it."""

    def __init__(self, path: Path, render: Render) -> None:
        self.counted = 0
        self._path = path
        redactor = Redactor(self._count)
        redactor.add(Secret(CANARY), "default/default")
        self._stream = io.FileIO(path, "w")
        self._sink = LogSink(self._stream, lambda data: redactor.mask_bytes(data, "log"), delay=3600.0)
        self._sink.start()
        self._undo = configure_logging(self._sink.write, render, "debug")
        self.calls = CallLog(self._sink.write, render, Choice(), lambda: 0.5)

    def _count(self, _: str, count: int) -> None:
        self.counted += count

    def text(self) -> str:
        self._sink.flush()
        return self._path.read_text()

    def close(self) -> None:
        self._undo()
        self._sink.close()
        self._stream.close()


WAYS = {
    "json": renderer("json"),
    "text": renderer("text"),
    "colours": renderer("text", Terminal(attended=True, colours=True)),
}


@pytest.fixture(params=WAYS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Written]:
    written = Written(tmp_path / "log", WAYS[request.param])
    yield written
    written.close()


def assert_masked(log: Written) -> None:
    text = log.text()
    assert "***" in text
    assert "canary" not in text
    assert "yranac" not in text
    assert log.counted == text.count("***")


def test_in_the_name_a_caller_used(log: Written, a_call: CallRecord) -> None:
    log.calls.call(replace(a_call, api_method="other", called=f"profiles/{CANARY}", request_id=quote(CANARY)))

    assert_masked(log)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(f"calling with {CANARY}", id="plain"),
        pytest.param(f"first\nsecond {CANARY}\nthird", id="among lines"),
        pytest.param(f"body {json.dumps({'token': CANARY})}", id="in a JSON body"),
        pytest.param(
            f"body {json.dumps({'error_text': json.dumps({'token': CANARY})})}", id="quoted in a reply"
        ),
        pytest.param(f"POST https://example.com/?token={quote(CANARY, safe='')}", id="in a URL"),
        pytest.param(f"value {CANARY!r} and {CANARY.encode()!r}", id="in a repr"),
    ],
)
def test_in_a_message(log: Written, message: str) -> None:
    logging.getLogger("some.library").warning("%s", message)

    assert_masked(log)


def test_in_an_exception_and_its_cause(log: Written) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise RuntimeError(f"no {CANARY}") from cause
    except RuntimeError:
        logging.getLogger("gateway.app").exception("it failed")

    assert_masked(log)


def test_in_a_field_no_line_knows(log: Written) -> None:
    logging.getLogger("some.library").warning("nothing here", extra={"token": CANARY})

    assert "canary" not in log.text()
