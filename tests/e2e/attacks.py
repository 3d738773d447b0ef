"""HTTP that was made to be read in two ways, by class: raw bytes, and the statuses that answer them.

What is answered 200 reached the platform as the one call that was meant; nothing else reached it at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

BODY = b'{"id": 1}'
CHUNKED = b"9\r\n" + BODY + b"\r\n0\r\n\r\n"
SECOND = b"POST /api/v1.1/databases/wipe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
"""What an attacker would like to be read as a request of its own."""


@dataclass(frozen=True)
class Attack:
    raw: bytes
    statuses: tuple[int, ...]  # of the answers on its connection, until it is closed

    def __repr__(self) -> str:
        return f"{self.raw[:300]!r}"


def head(*lines: bytes, start: bytes = b"POST /api/v1.1/databases/get HTTP/1.1", host: bool = True) -> bytes:
    """The head of a call that ends its connection, with more lines."""
    own = [b"Host: localhost"] if host else []
    return b"\r\n".join(
        (start, *own, b"Content-Type: application/json", b"Connection: close", *lines, b"", b"")
    )


def of(statuses: Iterable[int], *raws: bytes) -> list[Attack]:
    return [Attack(raw, tuple(statuses)) for raw in raws]


def with_length(
    *lines: bytes, start: bytes = b"POST /api/v1.1/databases/get HTTP/1.1", host: bool = True
) -> bytes:
    return head(*lines, b"Content-Length: 9", start=start, host=host) + BODY


LENGTH_AND_CHUNKS = of(
    [400],
    *(
        head(*lines) + body
        for body in (BODY, CHUNKED, b"0\r\n\r\n" + SECOND)
        for coding in (b"chunked", b"Chunked", b"CHUNKED", b" chunked", b"chunked ", b"\tchunked")
        for lines in (
            (b"Content-Length: 9", b"Transfer-Encoding: " + coding),
            (b"Transfer-Encoding: " + coding, b"Content-Length: 9"),
            (b"content-length:9", b"transfer-encoding:" + coding),
        )
    ),
)

LENGTHS = of(
    [400],
    *(
        head(*lines) + BODY + SECOND
        for lines in (
            (b"Content-Length: 9", b"Content-Length: 9"),
            (b"Content-Length: 9", b"Content-Length: 0"),
            (b"Content-Length: 0", b"Content-Length: 9"),
            (b"Content-Length: 9, 9",),
            (b"Content-Length: 9, 0",),
            (b"Content-Length: +9",),
            (b"Content-Length: -9",),
            (b"Content-Length: 0x9",),
            (b"Content-Length: 9.0",),
            (b"Content-Length: 9e0",),
            (b"Content-Length: 9 9",),
            (b"Content-Length: 9;",),
            (b"Content-Length: \xd9\xa9",),
            (b"Content-Length: 18446744073709551625",),
            (b"Content-Length: 99999999999999999999999999",),
            (b"Content-Length : 9",),
            (b"Content-Length\t: 9",),
            (b" Content-Length: 9",),
            (b"Content-Length: \x0b9",),
            (b"Content-Length: 9\x00",),
            (b"Content-Length:",),
        )
    ),
)

CODINGS = of(
    [400],
    *(
        head(*lines) + CHUNKED + SECOND
        for lines in (
            (b"Transfer-Encoding: identity",),
            (b"Transfer-Encoding: gzip, chunked",),
            (b"Transfer-Encoding: chunked, gzip",),
            (b"Transfer-Encoding: chunked, chunked",),
            (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
            (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
            (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
            (b"Transfer-Encoding: xchunked",),
            (b"Transfer-Encoding: chunkedx",),
            (b"Transfer-Encoding: chunked;q=1",),
            (b'Transfer-Encoding: "chunked"',),
            (b"Transfer-Encoding: \x0bchunked",),
            (b"Transfer-Encoding: chunked\x00",),
            (b"Transfer-Encoding : chunked",),
            (b"Transfer-Encoding\t: chunked",),
            (b" Transfer-Encoding: chunked",),
            (b"Transfer-Encoding:\r\n chunked",),
            (b"X: y\r\n\tTransfer-Encoding: chunked",),
            (b"Transfer-Encoding:",),
        )
    ),
    head(b"Transfer-Encoding: chunked", start=b"POST /api/v1.1/databases/get HTTP/1.0") + CHUNKED,
)

HOSTS = of(
    [400],
    *(with_length(*lines, host=False) for lines in ((), (b"X-Forwarded-Host: localhost",))),
) + of(
    [403],
    *(
        with_length(*lines, host=False)
        for lines in (
            (b"Host:",),
            (b"Host: localhost", b"Host: localhost"),
            (b"Host: localhost", b"Host: evil.example"),
            (b"Host: evil.example", b"Host: localhost"),
            (b"Host: localhost", b"host: localhost"),
            (b"Host: localhost, localhost",),
            (b"Host: localhost evil.example",),
            (b"Host: evil.example@localhost",),
            (b"Host: localhost@evil.example",),
            (b"Host: localhost/evil.example",),
            (b"Host: localhost#evil.example",),
            (b"Host: localhost?evil.example",),
            (b"Host: localhost:80:80",),
            (b"Host: localhost:http",),
            (b"Host: localhost:-1",),
            (b"Host: localhost.evil.example",),
            (b"Host: evil.localhost",),
            (b"Host: http://localhost",),
            (b"Host: [::1",),
            (b"Host: [::1]x",),
            (b"Host: \xff",),
        )
    ),
)

FOLDS = of(
    [400],
    *(
        with_length(*lines)
        for lines in (
            (b"X: y\r\n z",),
            (b"X: y\r\n\tz",),
            (b"X:\r\n y",),
            (b"X: y\r\n ",),
            (b"Request-ID: a\r\n b",),
        )
    ),
    b"POST /api/v1.1/databases/get HTTP/1.1\r\n Host: localhost\r\nContent-Length: 0\r\n\r\n",
)

CHUNKS = of(
    [400],
    *(
        head(b"Transfer-Encoding: chunked") + chunks
        for chunks in (
            b"g\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"-9\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"+9\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"0x9\r\n" + BODY + b"\r\n0\r\n\r\n",
            b" 9\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"9 \r\n" + BODY + b"\r\n0\r\n\r\n",
            b"9\n" + BODY + b"\r\n0\r\n\r\n",
            b"9\r" + BODY + b"\r\n0\r\n\r\n",
            b"9\r\n" + BODY + b"0\r\n\r\n",
            b"9\r\n" + BODY + b"\n0\r\n\r\n",
            b"9\r\n" + BODY + b"\r0\r\n\r\n",
            b"8\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"10000000000000009\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"fffffffffffffffff\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"9;\x00\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"9;a=b\n" + BODY + b"\r\n0\r\n\r\n",
            b"\r\n9\r\n" + BODY + b"\r\n0\r\n\r\n",
            b"9\r\n" + BODY + b"\r\n0\r\nX y\r\n\r\n",
            b"9\r\n" + BODY + b"\r\n0\r\nX: y\r\n z\r\n\r\n",
            b"9\r\n" + BODY + b"\r\n0\r\n X: y\r\n\r\n",
        )
    ),
) + of(
    [408],
    *(
        head(b"Transfer-Encoding: chunked") + chunks
        for chunks in (
            b"9\r\n" + BODY,
            b"9\r\n" + BODY + b"\r\n",
            b"9\r\n" + BODY + b"\r\n0\r\n",
            b"a\r\n" + BODY,
        )
    ),
)

TARGETS = of(
    [400],
    *(
        with_length(start=b"POST " + target + b" HTTP/1.1")
        for target in (
            b"http://localhost/api/v1.1/databases/get",
            b"http://evil.example/api/v1.1/databases/get",
            b"https://localhost/api/v1.1/databases/get",
            b"ftp://localhost/api/v1.1/databases/get",
            b"localhost/api/v1.1/databases/get",
            b"api/v1.1/databases/get",
            b"?x",
            b"*",
            b"/api/v1.1/databases/get#x",
            b"/api/v1.1/databases/get?x#y",
            b"/api/v1.1/databases/get\x00",
            b"/api/v1.1/databases/\x00get",
            b"/api/v1.1/databases/get?x=\x00",
            b"/api/v1.1/databases/get?x=\x7f",
            b"/api/v1.1/databases/get\x0b",
            b"/api/v1.1/databases/../databases/get",
            b"/api/v1.1/./databases/get",
            b"/api/v1.1/databases%2fget",
            b"/api/v1.1/databases%5cget",
            b"/api/v1.1/databases\\get",
            b"/api/v1.1/databases/get%00",
            b"/api/v1.1/databases/get%0d%0aX:y",
            b"/api/v1.1/databases/get;x=y",
            b"/api/v1.1/",
        )
    ),
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n" + SECOND,
) + of(
    [404],
    *(
        with_length(start=b"POST " + target + b" HTTP/1.1")
        for target in (
            b"/",
            b"//evil.example/api/v1.1/databases/get",
            b"//api/v1.1/databases/get",
            b"/%61pi/v1.1/databases/get",
            b"/api/v1.1%2fdatabases/get",
            b"/../api/v1.1/databases/get",
            b"/x/../api/v1.1/databases/get",
            b"/accounts/other/api/v1.1/databases/get",
        )
    ),
)

TRAILERS = of(
    [200],
    *(
        head(b"Transfer-Encoding: chunked") + b"9\r\n" + BODY + b"\r\n0\r\n" + trailer + b"\r\n\r\n"
        for trailer in (
            b"X: y",
            b"Host: evil.example",
            b"Content-Type: application/xml",
            b"Content-Encoding: gzip",
            b"Authorization: Bearer x",
            b"Request-ID: mine",
            b"Connection: keep-alive",
            b"Origin: http://evil.example",
        )
    ),
) + of(
    [400],
    *(
        head(b"Transfer-Encoding: chunked") + b"9\r\n" + BODY + b"\r\n0\r\n" + trailer + b"\r\n\r\n"
        for trailer in (b"Content-Length: 5", b"Transfer-Encoding: identity")
    ),
)

IDS = of(
    [400],
    *(
        with_length(name + b": " + value)
        for name in (b"Request-ID", b"Idempotency-Key", b"request-id")
        for value in (
            b"a\rX: b",
            b"a\nX: b",
            b"a\r b",
            b"a\x00b",
            b"a\x01b",
            b"a\x0bb",
            b"a\x7fb",
            b"a\xc2\x85b",
            b"a\xe2\x80\xa8b",
            b"a b",
            b"a,b",
            b'a"b',
            b"a" * 129,
            b"",
        )
    ),
)

NULS = of(
    [400],
    b"\x00" + with_length(),
    with_length(start=b"PO\x00ST /api/v1.1/databases/get HTTP/1.1"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/1.1\x00"),
    with_length(start=b"POST /api/v1.1/databases/get\x00 HTTP/1.1"),
    with_length(b"X\x00: y"),
    with_length(b"X: \x00"),
    with_length(b"\x00: y"),
    with_length(b"X: y\x00"),
    with_length(b"Host: localhost\x00evil.example"),
    with_length(b"\x00"),
)

LINES = of(
    [400],
    with_length().replace(b"\r\n", b"\n"),
    with_length().replace(b"\r\n", b"\r"),
    with_length().replace(b"HTTP/1.1\r\n", b"HTTP/1.1\n"),
    with_length(b"X: y\nZ: w"),
    with_length(b"X: y\rZ: w"),
    with_length(b"no colon"),
    with_length(b": nameless"),
    with_length(b"X y: z"),
    with_length(b"X(y): z"),
    with_length(b"\xff: z"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/1.1 x"),
    with_length(start=b"POST /api/v1.1/databases/get x HTTP/1.1"),
    with_length(start=b"POST /api/v1.1/databases/get"),
    with_length(start=b"POST\t/api/v1.1/databases/get\tHTTP/1.1"),
    with_length(start=b"post /api/v1.1/databases/get HTTP/1.1"),
    with_length(start=b"P /api/v1.1/databases/get HTTP/1.1"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/2.0"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/0.9"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/1.2"),
    with_length(start=b"POST /api/v1.1/databases/get HTTP/11"),
    with_length(start=b"POST /api/v1.1/databases/get http/1.1"),
    with_length(start=b"POST /api/v1.1/databases/get ICE/1.1"),
    b"GET /\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b" " + with_length(),
) + of([200], b"\r\n" + with_length(), b"\r\n\r\n" + with_length())

FOLLOWED = (
    of(
        [200],
        with_length() + SECOND,
        with_length() + b"junk",
        with_length() + b"\r\n\r\n\x00",
        head(b"Transfer-Encoding: chunked") + CHUNKED + SECOND,
        head(b"Transfer-Encoding: chunked") + CHUNKED + b"0\r\n\r\n",
        with_length(b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),
    )
    + of(
        [200, 400],
        *(
            with_length().replace(b"Connection: close\r\n", b"") + junk
            for junk in (b"junk\r\n\r\n", b"\x00", b"{}", b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", BODY)
        ),
    )
    + of(
        [400],
        head(b"Content-Length: 8") + BODY + SECOND,
        head(b"Content-Length: 1") + BODY,
        head() + BODY,
        head() + SECOND,
    )
)

HEADS = of(
    [431],
    with_length(b"X: " + b"x" * 40_000),
    with_length(b"x" * 40_000 + b": y"),
    with_length(*[b"X: y"] * 200),
    with_length(start=b"POST /api/v1.1/databases/get?" + b"x" * 40_000 + b" HTTP/1.1"),
    with_length(b"X: " + b"x" * 40_000).removesuffix(BODY)[:-4],
    head(b"Transfer-Encoding: chunked") + b"9\r\n" + BODY + b"\r\n0\r\n" + b"X: y\r\n" * 200 + b"\r\n",
)

CLASSES: Mapping[str, list[Attack]] = {
    "a length and chunks": LENGTH_AND_CHUNKS,
    "lengths": LENGTHS,
    "transfer codings": CODINGS,
    "hosts": HOSTS,
    "folded lines": FOLDS,
    "chunks": CHUNKS,
    "targets": TARGETS,
    "trailers": TRAILERS,
    "ids": IDS,
    "NULs": NULS,
    "lines": LINES,
    "what follows a call": FOLLOWED,
    "huge heads": HEADS,
}
