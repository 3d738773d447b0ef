"""W3C Trace Context: where a call stands in a trace, read from a caller's headers and written for the
platform.

Rules are those of the Recommendation of 2021 (https://www.w3.org/TR/trace-context/). What breaks them is
looked past, never refused: a call must not fail for the header of a tool. The state that other tools attach
(`tracestate`) is carried whole or not at all. Refuses to make up ids and to decide what is recorded.
"""

import re

from gateway.records import TraceContext

_PARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_INVALID_VERSION = b"ff"
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16
_SAMPLED = 0x01

# Section 3.3.1.3: visible ASCII without comma and equals sign in a value, and blanks inside of it only.
_KEY = rb"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_MEMBER = re.compile(_KEY + rb"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_MOST_MEMBERS = 32
_LONGEST_STATE = 512  # bytes; section 3.3.1.5 asks to carry at least so many


def header_lines(context: TraceContext) -> bytes:
    """As request headers, each line ended by CRLF."""
    flags = b"01" if context.sampled else b"00"
    lines = b"traceparent: 00-%b-%b-%b\r\n" % (context.trace_id.encode(), context.span_id.encode(), flags)
    return lines + b"tracestate: " + context.state + b"\r\n" if context.state else lines


def parse(traceparent: bytes | None, tracestate: bytes | None) -> TraceContext | None:
    """The caller's span; None when it named none that is valid."""
    if traceparent is None:
        return None
    found = _PARENT.fullmatch(traceparent)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # A later version may add fields behind; this one has none (section 3.2.2.1).
    if version == _INVALID_VERSION or (version == b"00" and more):
        return None
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    sampled = bool(int(flags, 16) & _SAMPLED)
    return TraceContext(trace_id.decode(), span_id.decode(), sampled, _state(tracestate))


def _state(tracestate: bytes | None) -> bytes:
    """The members in one spelling; nothing when one of them, or all together, break the rules."""
    if not tracestate or len(tracestate) > 4 * _LONGEST_STATE:
        return b""
    members = [member.strip(b" \t") for member in tracestate.split(b",")]
    members = [member for member in members if member]
    names = {member.partition(b"=")[0] for member in members}
    if len(names) != len(members) or len(members) > _MOST_MEMBERS:
        return b""
    if not all(map(_MEMBER.fullmatch, members)):
        return b""
    state = b",".join(members)
    return state if len(state) <= _LONGEST_STATE else b""
