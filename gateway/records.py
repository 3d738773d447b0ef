"""What happened, as values: one record per call and one per attempt upstream.

Metrics, log and traces are readers of these two and of nothing else. A record never holds a parameter, a body
or a token. With `tracing.enabled` each also says where in a trace it stands.
"""

from typing import Literal

import msgspec

Origin = Literal["upstream", "cache", "stale", "joined", "replayed", "gateway"]
"""Where the answer came from (the label `origin` of gateway_requests_total)."""

FailureKind = Literal["connect", "timeout", "reset", "protocol", "tls"]
"""How an attempt failed (the label `kind` of gateway_upstream_errors_total)."""

CacheResult = Literal["hit", "miss", "stale", "bypass", "collapsed"]
FlightRole = Literal["led", "joined", "replayed"]
FlightOutcome = Literal["answered", "not_sent", "unknown"]
Conversion = Literal["xml_to_json", "json_to_xml"]

CALLER_GONE = "caller-gone"
"""In the place of an error's name: the caller left before it had sent all of its call."""


class TraceContext(msgspec.Struct, frozen=True, gc=False):
    """One span and the trace that it belongs to. Ids are lower-case hexadecimal, as on the wire."""

    trace_id: str  # 32 digits
    span_id: str  # 16 digits
    sampled: bool  # whether it is recorded
    state: bytes = b""  # the trace's `tracestate`; "" for none
    parent_id: str = ""  # the span above it; "" for the first one of a trace

    @property
    def example(self) -> str:
        """The trace's id, where it is recorded and can be shown for what is counted; else ""."""
        return self.trace_id if self.sampled else ""

    def child(self, span_id: str) -> "TraceContext":
        """A span below this one."""
        return TraceContext(self.trace_id, span_id, self.sampled, self.state, self.span_id)


class CallTrace(msgspec.Struct, frozen=True, gc=False):
    """What a trace wants to know of a call beyond its record."""

    context: TraceContext
    http_method: str
    linked: TraceContext | None = None  # the call whose request to the platform this one shared


class CallRecord(msgspec.Struct, frozen=True, gc=False):
    """One call from its first byte to its last. Exactly one is made for each request under a base path.

    Log lines have these fields in this order.
    """

    time: float  # when it arrived, seconds since the epoch
    api_method: str  # a catalogue name or "other"
    called: str  # the name as the caller wrote it, 200 characters at most; "" when there was none
    account: str
    caller: str  # a configured name, "other", or "" when the caller gave none
    request_id: str
    code: int | None  # the platform's `error`, or the gateway's own; None when the reply had none
    status: int  # HTTP status towards the caller; 0 when the caller was gone before
    origin: Origin
    cache: CacheResult | None = None  # None for modifying calls and where nothing was looked up
    flight: FlightRole | None = None
    attempts: int = 0
    duplicate: bool = False  # the platform said that it had seen the call before
    error: str = ""  # the gateway's own reason (a name from gateway.errors, or CALLER_GONE), else ""
    error_text: str = ""  # what the caller was told with it
    conversions: tuple[Conversion, ...] = ()
    seconds: float = 0.0  # from the request's head to the reply's last byte
    upstream_seconds: float = 0.0  # of these, waiting for the platform
    queue_seconds: float = 0.0  # of these, waiting for a free place
    request_bytes: int = 0
    reply_bytes: int = 0
    trace: CallTrace | None = None


def failed(code: int | None, error: str, status: int) -> bool:
    """Whether a call that ended so is one that somebody may have to look at."""
    return bool(code or error or not 200 <= status < 400)


class AttemptRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request sent to the platform, or tried to."""

    api_method: str
    account: str
    seconds: float
    code: int | None = None  # the platform's `error`; None when there was no answer with one
    failure: FailureKind | None = None
    duplicate: bool = False
    item_codes: tuple[tuple[int | None, int], ...] = ()  # of a batch: a code, and how many items have it
    token: str = ""  # the configured name of the token that it carried; "" when it carried none
    number: int = 1  # of this call's attempts, from 1
    status: int | None = None  # the HTTP status of an answer that the platform's API gave
    trace: TraceContext | None = None
