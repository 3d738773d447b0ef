"""What a record is as a span, by OpenTelemetry's semantic conventions for HTTP (the stable ones, 1.23 and
later: https://opentelemetry.io/docs/specs/semconv/http/http-spans/).

A call is one span of kind server, and each attempt upstream one of kind client below it. Values come from
closed sets and from the configuration; of what a caller chose only its Request-ID is here, which whoever
sends the span has to mask. Refuses queries, headers, bodies, and the name of a method that nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from gateway.catalogue.model import OTHER, ApiMethod
from gateway.records import AttemptRecord, CallRecord, CallTrace, TraceContext

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
REQUEST_ID = "gateway.request_id"
"""The one attribute that a caller may have chosen."""

Value = str | int | float | bool

# RFC 9110, RFC 5789 and RFC 10008; the conventions call all others _OTHER, and such a call "HTTP".
_HTTP_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY")
)
_SERVER_ERROR = 500


class Span(msgspec.Struct, frozen=True, gc=False):
    """One span that has ended. Times are nanoseconds since the epoch."""

    name: str
    kind: Literal["server", "client"]
    context: TraceContext
    start: int
    end: int
    attributes: dict[str, Value]
    failed: bool
    linked: TraceContext | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account's platform is, and where its calls come in."""

    base_url: str
    base_path: str  # of callers

    @property
    def address(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.base_url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class Spans:
    """Makes spans of records, for one configuration."""

    def __init__(self, places: Mapping[str, Place], methods: Mapping[str, ApiMethod]) -> None:
        """`places` by account, `methods` by name: those of the catalogue in use."""
        self._places = MappingProxyType(dict(places))
        self._paths = {method.label: method.path or method.name for method in methods.values()}

    def of_call(self, record: CallRecord, trace: CallTrace) -> Span:
        """The span of a call that has ended."""
        start = _nanoseconds(record.time)
        http_method, shown = _http_method(trace.http_method)
        route = self._route(record)
        attributes: dict[str, Value] = {
            "http.request.method": http_method,
            "url.scheme": "http",
            "url.path": route,
            "http.route": route,
            "gateway.method": record.api_method,
            "gateway.account": record.account,
            "gateway.origin": record.origin,
            "gateway.attempts": record.attempts,
            REQUEST_ID: record.request_id,
        }
        if record.status:
            attributes["http.response.status_code"] = record.status
        if record.caller:
            attributes["gateway.caller"] = record.caller
        if record.code is not None:
            attributes["gateway.code"] = record.code
        if record.cache is not None:
            attributes["gateway.cache"] = record.cache
        if record.flight is not None:
            attributes["gateway.flight"] = record.flight
        if record.queue_seconds >= 0.001:
            attributes["gateway.queue_seconds"] = round(record.queue_seconds, 6)
        failed = record.status >= _SERVER_ERROR or not record.status or (record.code or 0) >= _SERVER_ERROR
        if record.error:
            attributes["error.type"] = record.error
        elif failed:
            attributes["error.type"] = str(record.code or record.status)
        return Span(
            name=f"{shown} {route}",
            kind="server",
            context=trace.context,
            start=start,
            end=start + _nanoseconds(record.seconds),
            attributes=attributes,
            failed=failed,
            linked=trace.linked,
        )

    def of_attempt(self, record: AttemptRecord, trace: TraceContext, ended: float) -> Span:
        """The span of an attempt that ended at `ended`, in seconds since the epoch."""
        end = _nanoseconds(ended)
        place = self._places.get(record.account)
        attributes: dict[str, Value] = {
            "http.request.method": "POST",
            "gateway.method": record.api_method,
            "gateway.account": record.account,
        }
        if place is not None:
            attributes["server.address"], attributes["server.port"] = place.address, place.port
            path = self._paths.get(record.api_method)
            attributes["url.full"] = place.base_url if path is None else f"{place.base_url}/{path}"
        if record.number > 1:
            attributes["http.request.resend_count"] = record.number - 1
        if record.status is not None:
            attributes["http.response.status_code"] = record.status
        if record.code is not None:
            attributes["gateway.code"] = record.code
        if record.duplicate:
            attributes["gateway.duplicate"] = True
        error = record.failure or _refusal(record)
        if error:
            attributes["error.type"] = error
        return Span(
            name="POST" if record.api_method == OTHER else f"POST {record.api_method}",
            kind="client",
            context=trace,
            start=end - _nanoseconds(record.seconds),
            end=end,
            attributes=attributes,
            failed=bool(error),
        )

    def _route(self, record: CallRecord) -> str:
        place = self._places.get(record.account)
        method = "{method}" if record.api_method == OTHER else record.api_method
        return f"/{method}" if place is None else f"{place.base_path}/{method}"


def _refusal(record: AttemptRecord) -> str:
    """The platform says in the reply's `error` what others say by the HTTP status: for its client any code
    but 0 is an error, as every status from 400 on is."""
    if record.code:
        return str(record.code)
    return str(record.status) if record.status is not None and record.status >= 400 else ""


def _nanoseconds(seconds: float) -> int:
    """To the microsecond: a number of seconds since the epoch says no more."""
    return round(seconds * 1_000_000) * 1000


def _http_method(name: str) -> tuple[str, str]:
    """The attribute's value, and what the span's name begins with."""
    return (name, name) if name in _HTTP_METHODS else ("_OTHER", "HTTP")
