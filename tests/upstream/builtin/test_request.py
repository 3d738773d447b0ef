"""Requests as bytes: written by hand here, so that nothing but the rule is compared with."""

from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.upstream.builtin.request import encode
from gateway.upstream.extensions import HEAD, Body
from gateway.upstream.failures import kind_of, was_written

URL = "http://platform.test:8000/api/v1.1/x%20y?a=1"


def test_a_small_request_is_one_buffer() -> None:
    request = httpx.Request("POST", URL, headers={"Accept": "application/json"}, stream=Body(b"{}"))
    assert encode(request) == (
        b"POST /api/v1.1/x%20y?a=1 HTTP/1.1\r\nHost: platform.test:8000\r\n"
        b"Accept: application/json\r\nContent-Length: 2\r\n\r\n{}",
    )


def test_a_large_body_is_not_copied() -> None:
    body = b"a" * 100_000
    head, sent = encode(httpx.Request("POST", URL, stream=Body(body)))
    assert head.endswith(b"Content-Length: 100000\r\n\r\n")
    assert sent is body


def test_a_prebuilt_head_is_sent_as_it_is() -> None:
    head = b"POST /api/v1.1/x HTTP/1.1\r\nHost: h\r\nRequest-ID: 7\r\n"
    request = httpx.Request("POST", URL, stream=Body(b"abc"), extensions={HEAD: head})
    assert encode(request) == (head + b"Content-Length: 3\r\n\r\nabc",)


def test_what_httpx_makes_of_bytes_is_sent_with_its_headers() -> None:
    request = httpx.Request("POST", URL, content=b"abc", headers={"Host": "other.test", "X-A": "1"})
    assert encode(request) == (
        b"POST /api/v1.1/x%20y?a=1 HTTP/1.1\r\nHost: other.test\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc",
    )


def test_a_request_without_a_body_says_so() -> None:
    assert encode(httpx.Request("GET", "http://platform.test/")) == (
        b"GET / HTTP/1.1\r\nHost: platform.test\r\nContent-Length: 0\r\n\r\n",
    )


@pytest.mark.parametrize(
    "name", ["Content-Length", "content-length", "Transfer-Encoding", "Connection", "Upgrade", "Expect"]
)
def test_headers_that_frame_the_request_are_not_the_callers_to_set(name: str) -> None:
    headers = [(name.encode(), b"7"), (b"Host", b"h")]
    request = httpx.Request("POST", "http://h/", headers=headers, stream=Body(b"abc"))
    assert encode(request) == (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",)


async def endless() -> AsyncIterator[bytes]:
    yield b"a"


REFUSED = {
    "a line break in a value": httpx.Request("POST", URL, headers=[(b"A", b"1\r\nB: 2")], stream=Body(b"")),
    "a line feed in a value": httpx.Request("POST", URL, headers=[(b"A", b"1\n")], stream=Body(b"")),
    "a NUL in a value": httpx.Request("POST", URL, headers=[(b"A", b"\x00")], stream=Body(b"")),
    "a line break in a name": httpx.Request("POST", URL, headers=[(b"A\r\nB", b"1")], stream=Body(b"")),
    "a space in a name": httpx.Request("POST", URL, headers=[(b"A B", b"1")], stream=Body(b"")),
    "an empty name": httpx.Request("POST", URL, headers=[(b"", b"1")], stream=Body(b"")),
    "a space in the method": httpx.Request("POST /x", URL, stream=Body(b"")),
    "a line break in the method": httpx.Request("POST\r\n", URL, stream=Body(b"")),
    "HEAD": httpx.Request("HEAD", URL),
    "CONNECT": httpx.Request("CONNECT", URL),
    "a streamed body": httpx.Request("POST", URL, content=endless()),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_is_written(request_: httpx.Request) -> None:
    with pytest.raises(httpx.LocalProtocolError) as caught:
        encode(request_)
    assert (kind_of(caught.value), was_written(caught.value)) == ("protocol", False)
