"""The values that a call consists of on its way, from what came in to what goes out.

CallHead   what its head says         (intake)
Call       as it arrived              (dataplane)
Request    decoded, without any token (intake)
Answer     what the caller gets       (presentation)
Trail      what happened on the way, noted as it happens; becomes the one record of the call
"""

import msgspec

from gateway.catalogue.model import ApiMethod
from gateway.codec import querystring
from gateway.codec.body import Fields
from gateway.codec.negotiation import Format
from gateway.landing import Landing
from gateway.policy.freshness import CacheControl
from gateway.presence import Presence
from gateway.records import (
    CacheResult,
    CallRecord,
    CallTrace,
    Conversion,
    FlightRole,
    Origin,
    TraceContext,
)
from gateway.routing import Target


class CallHead(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the head of a call says: the same for every call with that head, but for its body."""

    target: Target
    query: bytes  # what remains of the URL's parameters, byte for byte
    format: Format  # of the body
    url_format: Format | None  # of the reply, as the URL asks for it
    reply_format: Format  # where the body asks for none
    untouched: bool  # the URL asks for a format that is the platform's own affair (csv)
    key: str | None  # the caller's Request-ID or Idempotency-Key
    cache_control: CacheControl
    mark: bytes  # of all here that says what a body means


class Call(msgspec.Struct, frozen=True, gc=False):
    """A call as it arrived, its body whole."""

    head: CallHead
    body: bytes


class Request(msgspec.Struct, frozen=True, gc=False):
    """What a call means: the method and its parameters, without any token and without the reply's format."""

    account: str
    method: ApiMethod
    fields: Fields
    body: bytes  # the same encoded; empty for a large one
    fingerprint: bytes  # the identity of this meaning
    query: bytes  # what remains of the URL's parameters, byte for byte
    format: Format  # of the body that came
    reply_format: Format
    untouched: bool  # the caller asked for a format that is the platform's own affair (csv)
    key: str | None  # the caller's Request-ID or Idempotency-Key
    cache_control: CacheControl
    size: int  # bytes of the body that came

    def body_only_fields(self) -> Fields:
        """The fields that the URL does not name too: which of the two the platform takes is not
        documented."""
        if not self.query:
            return self.fields
        named = querystring.names(self.query)
        return {name: value for name, value in self.fields.items() if name not in named}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What the caller gets, but for the headers that every answer carries."""

    status: int
    content_type: bytes
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Trail(msgspec.Struct, gc=False):
    """Notes on one call, taken as it goes. The only mutable value of a call."""

    time: float  # seconds since the epoch
    started: float  # the loop's clock, seconds
    request_id: str
    reply_format: Format = Format.JSON
    api_method: str = "other"
    called: str = ""
    account: str = "default"
    caller: str = ""
    code: int | None = None
    status: int = 0
    origin: Origin = "gateway"
    cache: CacheResult | None = None
    cache_status: bytes = b""  # what the answer's header says; "" for an own error
    age: bytes | None = None
    presence: Presence = msgspec.field(default_factory=Presence)  # of the caller
    landing: Landing | None = None  # a modifying call's; it wants to know whether the caller got the answer
    flight: FlightRole | None = None
    attempts: int = 0
    duplicate: bool = False
    error: str = ""
    error_text: str = ""
    conversions: tuple[Conversion, ...] = ()
    upstream_seconds: float = 0.0
    queue_seconds: float = 0.0
    request_bytes: int = 0
    reply_bytes: int = 0
    trace: TraceContext | None = None  # the call's own span; None where nothing is traced
    http_method: str = ""  # noted where the call is traced
    linked: TraceContext | None = None  # the call that asked the platform, where this one only waited for it

    def record(self, now: float) -> CallRecord:
        """The record of the call, ended at `now` by the loop's clock."""
        # By position: with so many fields, naming them takes five times as long.
        return CallRecord(
            self.time,
            self.api_method,
            self.called,
            self.account,
            self.caller,
            self.request_id,
            self.code,
            self.status,
            self.origin,
            self.cache,
            self.flight,
            self.attempts,
            self.duplicate,
            self.error,
            self.error_text,
            self.conversions,
            now - self.started,
            self.upstream_seconds,
            self.queue_seconds,
            self.request_bytes,
            self.reply_bytes,
            None if self.trace is None else CallTrace(self.trace, self.http_method, self.linked),
        )
