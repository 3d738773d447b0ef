"""One line per call that was asked for, with every field of its record and nothing else."""

import json

import pytest
from msgspec.structs import asdict, replace

from gateway.observe.calllog import CallLog, Choice, LoggedCalls
from gateway.observe.lines import renderer
from gateway.records import CallRecord, CallTrace, TraceContext


def logged(
    record: CallRecord, calls: LoggedCalls = "all", *, sample: float = 1.0, slow: float = 10.0
) -> list[dict[str, object]]:
    """The lines of five calls like this one, of which chance says 0, 0.2, 0.4, 0.6 and 0.8."""
    lines: list[bytes] = []
    chances = iter([0.0, 0.2, 0.4, 0.6, 0.8])
    log = CallLog(lines.append, renderer("json"), Choice(calls, sample, slow), lambda: next(chances))
    for _ in range(5):
        log.call(record)
    return [json.loads(line) for line in lines]


def test_the_line_of_a_call(a_call: CallRecord) -> None:
    assert logged(a_call)[0] == {
        "time": "2025-11-23T20:00:00.250000Z",
        "level": "info",
        "logger": "gateway.calls",
        "message": "call",
        "api_method": "profiles/get",
        "called": "profiles/get",
        "account": "default",
        "caller": "crm",
        "request_id": "0192f0c1-7b1a-7c3e-9b1a-0123456789ab",
        "code": 0,
        "status": 200,
        "origin": "upstream",
        "cache": "bypass",
        "flight": None,
        "attempts": 1,
        "duplicate": False,
        "error": "",
        "error_text": "",
        "conversions": [],
        "seconds": 0.25,
        "upstream_seconds": 0.125,
        "queue_seconds": 0.0,
        "request_bytes": 230,
        "reply_bytes": 330,
    }


def test_every_field_of_a_record_is_in_the_line(a_call: CallRecord) -> None:
    assert set(asdict(a_call)) - {"trace"} <= set(logged(a_call)[0])


def test_the_line_names_the_calls_span_where_it_is_traced(a_call: CallRecord) -> None:
    trace = CallTrace(TraceContext("a" * 32, "b" * 16, sampled=False), "POST")
    line, *_ = logged(replace(a_call, trace=trace))
    assert (line["trace_id"], line["span_id"]) == ("a" * 32, "b" * 16)
    assert "trace_id" not in logged(a_call)[0]


def test_times_are_rounded_to_a_microsecond(a_call: CallRecord) -> None:
    line, *_ = logged(replace(a_call, seconds=0.1 + 0.2, upstream_seconds=1 / 3, queue_seconds=1e-9))

    assert (line["seconds"], line["upstream_seconds"], line["queue_seconds"]) == (0.3, 0.333333, 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code": 404}, id="an error code inside HTTP 200"),
        pytest.param(
            {"code": 503, "status": 503, "error": "overloaded", "origin": "gateway"}, id="an own error"
        ),
        pytest.param({"code": None, "status": 502}, id="an HTTP error without a code"),
        pytest.param({"status": 0}, id="a caller that was gone"),
    ],
)
def test_a_call_that_failed_is_a_warning_and_logged_as_an_error(
    a_call: CallRecord, changes: dict[str, object]
) -> None:
    lines = logged(replace(a_call, **changes), "errors", sample=0.0)

    assert [line["level"] for line in lines] == ["warning"] * 5


@pytest.mark.parametrize("changes", [{}, {"code": None}], ids=["success", "a reply that carries no code"])
def test_a_call_that_went_well_is_not_logged_as_an_error(
    a_call: CallRecord, changes: dict[str, object]
) -> None:
    record = replace(a_call, **changes)

    assert logged(record, "errors") == []
    assert logged(record, "all")[0]["level"] == "info"


def test_no_call_is_logged_where_none_is_wanted(a_call: CallRecord) -> None:
    assert logged(a_call, "none") == []
    assert logged(replace(a_call, code=500), "none") == []


@pytest.mark.parametrize(("sample", "lines"), [(0.0, 0), (0.3, 2), (0.5, 3), (1.0, 5)])
def test_of_the_calls_that_went_well_the_share_is_logged_that_was_asked_for(
    a_call: CallRecord, sample: float, lines: int
) -> None:
    assert len(logged(a_call, sample=sample)) == lines


@pytest.mark.parametrize("calls", ["all", "errors"])
def test_a_slow_call_is_always_logged_and_is_a_warning(a_call: CallRecord, calls: LoggedCalls) -> None:
    slow = replace(a_call, seconds=2.0)

    assert [line["level"] for line in logged(slow, calls, sample=0.0, slow=2.0)] == ["warning"] * 5
    assert logged(slow, calls, sample=0.0, slow=2.001) == []
    assert logged(slow, "none", slow=2.0) == []
