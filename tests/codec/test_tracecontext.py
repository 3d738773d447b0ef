"""The examples and the rules of the Recommendation, section by section."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.codec.tracecontext import header_lines, parse
from gateway.records import TraceContext

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01".encode()


def test_the_callers_span_is_read() -> None:
    assert parse(PARENT, None) == TraceContext(TRACE, SPAN, sampled=True)


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("ff", True)])
def test_only_the_lowest_flag_says_sampled(flags: str, sampled: bool) -> None:
    found = parse(f"00-{TRACE}-{SPAN}-{flags}".encode(), None)
    assert found is not None
    assert found.sampled is sampled


@pytest.mark.parametrize("more", ["", "-", "-what-comes-later"])
def test_a_later_version_is_read_as_far_as_this_one_goes(more: str) -> None:
    assert parse(f"cc-{TRACE}-{SPAN}-01{more}".encode(), None) == TraceContext(TRACE, SPAN, sampled=True)


@pytest.mark.parametrize(
    "broken",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_breaks_the_rules_names_no_span(broken: str) -> None:
    assert parse(broken.encode(), b"congo=t61rcWkgMzE") is None


def test_without_a_parent_the_state_means_nothing() -> None:
    assert parse(None, b"congo=t61rcWkgMzE") is None


@pytest.mark.parametrize(
    ("state", "carried"),
    [
        (b"congo=t61rcWkgMzE", b"congo=t61rcWkgMzE"),
        (b"rojo=00f067aa0ba902b7 ,\t congo=t61", b"rojo=00f067aa0ba902b7,congo=t61"),
        (b"a=1,,b=2,", b"a=1,b=2"),
        (b"fw529a3039@dt=FfAAAAE, 0tenant@sys=x", b"fw529a3039@dt=FfAAAAE,0tenant@sys=x"),
        (b"a=inner blank", b"a=inner blank"),
    ],
)
def test_the_state_of_other_tools_is_carried(state: bytes, carried: bytes) -> None:
    found = parse(PARENT, state)
    assert found is not None
    assert found.state == carried


@pytest.mark.parametrize(
    "state",
    [
        b"A=1",
        b"no-value",
        b"a=",
        b"a=1,a=2",
        b"a=b=c",
        b"a=\xff",
        b"a=1\r\nHost: elsewhere",
        b"a=1\tb",
        b",".join(b"k%d=1" % number for number in range(33)),
        b"a=" + b"x" * 257,
        b",".join(b"k%d=%b" % (number, b"x" * 100) for number in range(6)),
    ],
)
def test_a_state_that_breaks_the_rules_is_dropped_whole_and_the_parent_stays(state: bytes) -> None:
    assert parse(PARENT, state) == TraceContext(TRACE, SPAN, sampled=True)


def test_a_span_below_is_written_for_the_platform() -> None:
    above = TraceContext(TRACE, SPAN, sampled=True, state=b"congo=t61")
    below = above.child("00f067aa0ba902b7")
    assert below.parent_id == SPAN
    assert header_lines(below) == (
        f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\ntracestate: congo=t61\r\n".encode()
    )


def test_a_trace_that_is_not_recorded_says_so_to_whoever_comes_after() -> None:
    assert header_lines(TraceContext(TRACE, SPAN, sampled=False)) == (
        f"traceparent: 00-{TRACE}-{SPAN}-00\r\n".encode()
    )


def test_what_is_written_is_what_is_read() -> None:
    context = TraceContext(TRACE, SPAN, sampled=True, state=b"a=1,b=2")
    lines = dict(line.split(b": ", 1) for line in header_lines(context).split(b"\r\n") if line)
    assert parse(lines[b"traceparent"], lines[b"tracestate"]) == context


def looks_like_one() -> st.SearchStrategy[str]:
    """Headers that are one, or nearly."""
    digits = st.text("0123456789abcdefABCDEFg", min_size=0, max_size=3)
    fields = st.tuples(
        st.sampled_from(["00", "01", "cc", "fe", "ff", "0", "0A"]) | digits,
        st.sampled_from([TRACE, "0" * 32, TRACE.upper(), TRACE[1:], TRACE + "0"]),
        st.sampled_from([SPAN, "0" * 16, SPAN[1:], SPAN + "0"]),
        st.sampled_from(["00", "01", "02", "03", "ff", "1", "g1"]),
    )
    behind = st.sampled_from(["", "-", "-more", "-more-", "more"])
    return st.builds(lambda parts, more: "-".join(parts) + more, fields, behind)


@given(header=looks_like_one())
def test_opentelemetrys_own_reader_agrees(header: str) -> None:
    theirs = get_current_span(
        TraceContextTextMapPropagator().extract({"traceparent": header}, Context())
    ).get_span_context()
    ours = parse(header.encode(), None)
    assert (ours is not None) == theirs.is_valid
    if ours is not None:
        assert (int(ours.trace_id, 16), int(ours.span_id, 16)) == (theirs.trace_id, theirs.span_id)
        assert ours.sampled == theirs.trace_flags.sampled
