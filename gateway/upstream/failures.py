"""What a failed attempt means: which kind of failure it was, and whether the platform may have seen the call.

Only two questions are asked of an exception here, because only two decide anything: a call of which no byte
was written may be sent again, whatever it does; and metrics count failures by kind. This module refuses to
decide about repeating: that is the flight's business.

The gateway's own transport knows both answers and leaves them on the exception it raises (`marked`). Any
other transport, httpx's own above all, is judged by the class of its exception, and an unknown class counts
as written.
"""

import ssl
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx

Kind = Literal["connect", "timeout", "reset", "protocol", "tls"]
"""The values of the label `kind` of gateway_upstream_errors_total."""

# Raised by httpx before the request line goes out: while waiting for a connection, while making one, or while
# looking at the request. All its other errors may come after a byte was written, so they count as written.
_NOTHING_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)

# httpx says "protocol" also where the peer only hung up; h11's and httpcore's words are the one thing that
# tells the two apart (tests/upstream/test_failures.py holds them against the installed httpx).
_HANG_UP_WORDS = ("Server disconnected", "peer closed connection")

_MARK = "gateway_failure"


@dataclass(frozen=True, slots=True)
class Failure:
    """What a transport knows about its own failure."""

    kind: Kind
    written: bool


E = TypeVar("E", bound=Exception)


def marked(error: E, kind: Kind, *, written: bool) -> E:
    """`error` itself, carrying what `kind_of` and `was_written` will answer about it."""
    setattr(error, _MARK, Failure(kind, written))
    return error


def was_written(error: BaseException) -> bool:
    """Whether a byte of the request went to the kernel, or may have gone.

    False is a promise: the platform has not seen the call. True promises nothing, so a cancellation and every
    unknown error are True.
    """
    failure = getattr(error, _MARK, None)
    if isinstance(failure, Failure):
        return failure.written
    return not isinstance(error, _NOTHING_WRITTEN)


def kind_of(error: BaseException) -> Kind:
    """Which of the five kinds of failure this is."""
    failure = getattr(error, _MARK, None)
    if isinstance(failure, Failure):
        return failure.kind
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "timeout"
    if _is_from_tls(error):
        return "tls"
    if isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
        return "connect"
    if isinstance(error, httpx.NetworkError | OSError):
        return "reset"
    if isinstance(error, httpx.RemoteProtocolError) and str(error).startswith(_HANG_UP_WORDS):
        return "reset"
    return "protocol"


def _is_from_tls(error: BaseException | None) -> bool:
    """Whether `error` is, or was raised because of, a failure of TLS."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
