"""The request headers that the gateway reads; all others are looked past, never forwarded."""

from collections.abc import Iterable

HOST = b"host"
ORIGIN = b"origin"
SEC_FETCH_SITE = b"sec-fetch-site"
CONTENT_TYPE = b"content-type"
CONTENT_LENGTH = b"content-length"
CONTENT_ENCODING = b"content-encoding"
TRANSFER_ENCODING = b"transfer-encoding"
EXPECT = b"expect"
ACCEPT = b"accept"
CACHE_CONTROL = b"cache-control"
REQUEST_ID = b"request-id"
IDEMPOTENCY_KEY = b"idempotency-key"
TRACEPARENT = b"traceparent"
TRACESTATE = b"tracestate"
CALLER = b"gateway-caller"

Headers = dict[bytes, bytes]

_READ = frozenset(
    (
        HOST,
        ORIGIN,
        SEC_FETCH_SITE,
        CONTENT_TYPE,
        CONTENT_LENGTH,
        CONTENT_ENCODING,
        TRANSFER_ENCODING,
        EXPECT,
        ACCEPT,
        CACHE_CONTROL,
        REQUEST_ID,
        IDEMPOTENCY_KEY,
        TRACEPARENT,
        TRACESTATE,
    )
)


def pick(raw: Iterable[tuple[bytes, bytes]], caller_header: bytes = CALLER) -> Headers:
    """The headers of a request that matter, by lower-case name; `caller_header` under the key `CALLER`.

    Lines of one name are joined by a comma (RFC 9110 section 5.3). So a doubled Host, Content-Type or
    Request-ID turns into a value that no rule accepts, and needs no check of its own.
    """
    found: Headers = {}
    for name, value in raw:
        if name in _READ:
            key = name
        elif name == caller_header:
            key = CALLER
        else:
            continue
        found[key] = value if key not in found else found[key] + b", " + value
    return found
