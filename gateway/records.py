"""What happened, as values: one record per call and one per attempt upstream.

Metrics, log and traces are readers of these two and of nothing else. A record never holds a parameter, a body
or a token.
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


class CallRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One call from its first byte to its last. Exactly one is made for each request under a base path."""

    time: float  # when it arrived, seconds since the epoch
    api_method: str  # a catalogue name or "other"
    called: str  # the name as the caller wrote it, cut to 128 characters; "" when there was none
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


class AttemptRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request sent to the platform, or tried to."""

    api_method: str
    account: str
    seconds: float
    code: int | None = None  # the platform's `error`; None when there was no answer with one
    failure: FailureKind | None = None
    duplicate: bool = False
    item_codes: tuple[int | None, ...] = ()
    token: str = ""  # the configured name of the token that it carried; "" when it carried none
