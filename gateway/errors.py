"""The errors that cross module borders. Each exists because someone catches it.

    GatewayError
    ├── CallError        a call that the gateway answers itself; the data plane turns it into a reply
    ├── TokenMissingError     a token source has no usable token; `serve` refuses to start, readiness says so
    ├── StoreAwayError   Redis cannot be asked; calls go on without it, or a write is refused
    └── SettingsError    a configuration with problems; the CLI prints them all, a reload keeps the old one

A reply of the platform with an error code is not an exception: it is a reply.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


class GatewayError(Exception):
    """What all of them have in common, so that one `except` at the outermost place is enough."""


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One row of the table of the gateway's own errors (docs/reference/errors.md).

    `status` is the HTTP status, `code` the value of `error` in the body, `proxy_status` the error type of
    RFC 9209 section 2.3 that fits best.
    """

    name: str
    status: int
    code: int
    proxy_status: str


BAD_REQUEST = ErrorKind("bad-request", 400, 400, "http_request_error")
HOST_REFUSED = ErrorKind("host-refused", 403, 403, "http_request_denied")
ORIGIN_REFUSED = ErrorKind("origin-refused", 403, 403, "http_request_denied")
PEER_REFUSED = ErrorKind("peer-refused", 403, 403, "http_request_denied")
METHOD_DENIED = ErrorKind("method-denied", 403, 403, "http_request_denied")
NOT_FOUND = ErrorKind("not-found", 404, 404, "http_request_error")
HTTP_METHOD_REFUSED = ErrorKind("http-method-refused", 405, 400, "http_request_error")
HEAD_TIMEOUT = ErrorKind("head-timeout", 408, 400, "http_request_error")
HEAD_TOO_LARGE = ErrorKind("head-too-large", 431, 400, "http_request_error")
BODY_TOO_LARGE = ErrorKind("body-too-large", 413, 400, "http_request_error")
BODY_TIMEOUT = ErrorKind("body-timeout", 408, 400, "http_request_error")
UNSUPPORTED_TYPE = ErrorKind("unsupported-type", 415, 415, "http_request_error")
KEY_REUSED = ErrorKind("key-reused", 422, 450, "http_request_error")
UNKNOWN_METHOD = ErrorKind("unknown-method", 501, 501, "http_request_denied")
INTERNAL = ErrorKind("internal", 500, 500, "proxy_internal_error")
UPSTREAM_UNREACHABLE = ErrorKind("upstream-unreachable", 502, 502, "destination_unavailable")
UPSTREAM_RESET = ErrorKind("upstream-reset", 502, 502, "connection_terminated")
UPSTREAM_PROTOCOL = ErrorKind("upstream-protocol", 502, 502, "http_protocol_error")
UPSTREAM_TLS = ErrorKind("upstream-tls", 502, 502, "tls_protocol_error")
OUTCOME_UNKNOWN = ErrorKind("outcome-unknown", 502, 502, "proxy_internal_response")
ANSWER_GONE = ErrorKind("answer-gone", 502, 502, "proxy_internal_response")
BREAKER_OPEN = ErrorKind("breaker-open", 503, 503, "destination_unavailable")
OVERLOADED = ErrorKind("overloaded", 503, 503, "connection_limit_reached")
TOKEN_MISSING = ErrorKind("token-missing", 503, 503, "proxy_configuration_error")
STORE_AWAY = ErrorKind("store-away", 503, 503, "destination_unavailable")
STOPPED = ErrorKind("stopped", 503, 503, "proxy_internal_response")
UPSTREAM_TIMEOUT = ErrorKind("upstream-timeout", 504, 504, "http_response_timeout")
NOT_CACHED = ErrorKind("not-cached", 504, 504, "http_request_denied")
CONNECT_TIMEOUT = ErrorKind("connect-timeout", 504, 504, "connection_timeout")


class CallError(GatewayError):
    """A call that gets the gateway's own answer. `text` is shown to the caller: no body, no token in it."""

    def __init__(
        self,
        kind: ErrorKind,
        text: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        request_id: str | None = None,
    ) -> None:
        """`request_id` names another call than the refused one: the one that is in its way."""
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.headers = headers
        self.request_id = request_id


class TokenMissingError(GatewayError):
    """A token source has nothing usable. The text names the source, never a value."""


class StoreAwayError(GatewayError):
    """What several gateways remember together cannot be asked. Nothing is known of whether it got a
    change."""


UNPLACED = "settings"
"""The place of a problem that was found where nobody knows the lines any more."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration: where, at which key, what."""

    place: str  # "config.yaml:12", "environment", or UNPLACED
    key: str  # dotted, as in upstream.timeouts.total
    text: str

    def __str__(self) -> str:
        return f"{self.place} {self.key}: {self.text}"

    @property
    def rank(self) -> tuple[bool, str, int]:
        """Where it stands among others: files first, each by its lines, then the environment."""
        file, _, line = self.place.rpartition(":")
        return (False, file, int(line)) if file and line.isdecimal() else (True, self.place, 0)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By file and line, so that whoever mends them goes through the file once."""
    return tuple(sorted(problems, key=lambda problem: problem.rank))


class SettingsError(GatewayError):
    """A configuration that cannot be used, with every problem it has, in the order of their places."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def body_too_large(limit: int) -> CallError:
    """Of a request's body, said or found to be longer than `limit` bytes."""
    return CallError(BODY_TOO_LARGE, f"the body is larger than {limit} bytes")
