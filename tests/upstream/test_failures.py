"""What an exception of a transport means, whichever transport raised it."""

import asyncio
import ssl

import httpx
import pytest

from gateway.upstream.failures import Kind, kind_of, marked, was_written

NOTHING_WRITTEN = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
]

UNKNOWN = [
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
    httpx.DecodingError,
    httpx.TransportError,
    OSError,
    RuntimeError,
    TimeoutError,
    asyncio.CancelledError,
    KeyboardInterrupt,
]


@pytest.mark.parametrize("error", NOTHING_WRITTEN)
def test_httpx_raises_these_before_the_first_byte(error: type[httpx.TransportError]) -> None:
    assert not was_written(error("x"))


@pytest.mark.parametrize("error", UNKNOWN)
def test_all_others_count_as_written(error: type[BaseException]) -> None:
    assert was_written(error("x"))


def test_a_mark_goes_before_the_class() -> None:
    error = marked(httpx.ConnectError("x"), "tls", written=True)
    assert (kind_of(error), was_written(error)) == ("tls", True)
    error = marked(httpx.ConnectError("x"), "reset", written=False)
    assert (kind_of(error), was_written(error)) == ("reset", False)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), "connect"),
        (httpx.UnsupportedProtocol("ftp"), "connect"),
        (httpx.ConnectTimeout("x"), "timeout"),
        (httpx.ReadTimeout("x"), "timeout"),
        (httpx.WriteTimeout("x"), "timeout"),
        (httpx.PoolTimeout("x"), "timeout"),
        (TimeoutError("x"), "timeout"),
        (httpx.ReadError("x"), "reset"),
        (httpx.WriteError("x"), "reset"),
        (httpx.CloseError("x"), "reset"),
        (ConnectionResetError("x"), "reset"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "reset"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), "reset"),
        (httpx.RemoteProtocolError("illegal status line"), "protocol"),
        (httpx.LocalProtocolError("x"), "protocol"),
        (httpx.DecodingError("x"), "protocol"),
        (ssl.SSLCertVerificationError("x"), "tls"),
        (RuntimeError("x"), "protocol"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__} {value}",
)
def test_every_error_has_one_of_the_five_kinds(error: BaseException, kind: Kind) -> None:
    assert kind_of(error) == kind


def test_an_error_that_came_of_tls_is_tls() -> None:
    error = httpx.ConnectError("x")
    error.__cause__ = OSError("x")
    error.__cause__.__cause__ = ssl.SSLError("x")
    assert kind_of(error) == "tls"
