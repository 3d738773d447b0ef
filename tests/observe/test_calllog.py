"""One line per call that was asked for, with every field of its record and nothing else."""

import json
import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from gateway.observe.calllog import CallLog, Choice, LoggedCalls
from gateway.observe.lines import moment, render_json, renderer
from gateway.records import (
    CacheResult,
    CallRecord,
    CallTrace,
    Conversion,
    FlightRole,
    Origin,
    TraceContext,
    failed,
)


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


def plainly(record: CallRecord) -> bytes:
    """The line, written field by field."""
    bad = failed(record.code, record.error, record.status) or record.seconds >= 10.0
    head = {"time": moment(record.time), "level": "warning" if bad else "info"}
    fields = head | {"logger": "gateway.calls", "message": "call"} | asdict(record) | head
    if (trace := fields.pop("trace")) is not None:
        fields |= {"trace_id": trace.context.trace_id, "span_id": trace.context.span_id}
    times = {name: round(value, 6) for name, value in fields.items() if name.endswith("seconds")}
    return render_json(fields | times)


def some(*usual: object, or_any: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Mostly what many calls have in common, and sometimes anything."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), or_any)


anything = st.text(st.characters(exclude_categories=[]), max_size=12)  # with lone surrogates
seconds = st.one_of(
    st.floats(0, 100),
    st.integers(0, 2_000_000_000).map(lambda halves: halves / 2e6),  # what is rounded up or down
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e-6, 9e-6, 1e-5, 0.1, 1e15, 1e16, 1e300, math.nan, math.inf]),
)
traces = st.builds(
    CallTrace,
    st.builds(TraceContext, st.sampled_from(["a" * 32, "0" * 32]), st.just("b" * 16), st.booleans()),
    st.just("POST"),
)
records = st.builds(
    CallRecord,
    time=st.one_of(st.floats(0, 4e9), st.integers(0, 4_000_000_000).map(float)),
    api_method=st.sampled_from(["profiles/get", "other"]),
    called=some("profiles/get", 'x/\u00e9"\\', or_any=anything),
    account=some("default", or_any=anything),
    caller=some("crm", "", or_any=anything),
    request_id=some("id", '"request_id":""', or_any=anything),
    code=some(0, 404, None, or_any=st.integers(-(2**40), 2**40)),
    status=st.sampled_from([200, 200, 502, 0]),
    origin=st.sampled_from(get_args(Origin)),
    cache=st.sampled_from([None, *get_args(CacheResult)]),
    flight=st.sampled_from([None, *get_args(FlightRole)]),
    attempts=st.integers(0, 2),
    duplicate=st.booleans(),
    error=some("", "", or_any=st.sampled_from(["overloaded", "caller-gone"])),
    error_text=some("", or_any=anything),
    conversions=st.lists(st.sampled_from(get_args(Conversion)), max_size=2).map(tuple),
    seconds=seconds,
    upstream_seconds=seconds,
    queue_seconds=seconds,
    request_bytes=st.integers(0, 2**40),
    reply_bytes=st.integers(0, 2**40),
    trace=st.one_of(st.none(), traces),
)


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_line_is_that_of_its_record_whatever_was_logged_before(
    found: list[CallRecord], data: st.DataObject
) -> None:
    lines: list[bytes] = []
    log = CallLog(lines.append, renderer("json"), Choice(slow=10.0), lambda: 0.5)
    varying = ("time", "called", "request_id", "error_text", "seconds", "upstream_seconds", "queue_seconds")
    for record in found:
        other = data.draw(records)
        again = {name: getattr(other, name) for name in (*varying, "request_bytes", "reply_bytes", "trace")}
        for logged_now in (record, replace(record, **again)):
            log.call(logged_now)
            assert lines.pop() == plainly(logged_now)


def test_a_slow_call_and_a_quick_one_are_told_apart_in_their_lines(a_call: CallRecord) -> None:
    lines: list[bytes] = []
    log = CallLog(lines.append, renderer("json"), Choice(slow=1.0), lambda: 0.5)
    for taken in (0.5, 1.5, 0.5, 1.5):
        log.call(replace(a_call, seconds=taken))

    assert [json.loads(line)["level"] for line in lines] == ["info", "warning"] * 2
