"""What the callers of the soak send: all kinds of calls, in shares, each with what may come of it. Pure:
chance is an argument.
"""

import random
from dataclasses import dataclass

from bench.cases import BASE, BATCH, JSON_WRITE, XML_WRITE

JSON, XML = b"application/json", b"application/xml"
REFUSED = frozenset({400, 415})
FAULTS = frozenset({200, 502, 503, 504})
"""The platform breaks off, answers nonsense or refuses now and then."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as bytes."""

    request: bytes
    statuses: frozenset[int]  # of the answers that are right
    leaves: bool = False  # the caller goes without waiting for the answer


def call(number: int, chance: random.Random) -> Sent:
    """The call of that number. One in ten is a read of one of 20 000 things, two in a hundred are wrong."""
    kind = chance.random()
    if kind < 0.30:
        return Sent(_post("profiles/import", JSON, _numbered(JSON_WRITE.body, number)), FAULTS)
    if kind < 0.40:
        return Sent(_post("profiles/import", XML, _numbered(XML_WRITE.body, number)), FAULTS)
    if kind < 0.60:
        return Sent(_post("profiles/get", JSON, _read(chance.randrange(20_000))), FAULTS)
    if kind < 0.75:  # what many want, and want changed, at the same time
        return Sent(_post("profiles/get", JSON, _read(chance.randrange(10))), FAULTS)
    if kind < 0.85:
        return Sent(_post("profiles/import", JSON, _numbered(JSON_WRITE.body, -number % 10)), FAULTS)
    if kind < 0.93:
        key = b"Request-ID: soak-%d\r\n" % (number - chance.randrange(100))
        return Sent(_post("profiles/delete", JSON, b'{"db_id":7}', key), FAULTS)
    if kind < 0.97:
        body = _numbered(JSON_WRITE.body, number)
        return Sent(_post("profiles/import", JSON, body), FAULTS, leaves=True)
    if kind < 0.975:
        return Sent(_post("profiles/import_batch", JSON, _numbered(BATCH.body, number)), FAULTS)
    if kind < 0.99:
        return Sent(_post("profiles/import", JSON, b'{"db_id":7,'), REFUSED)
    return Sent(_post("profiles/import", b"text/plain", b"db_id=7"), REFUSED)


def _read(number: int) -> bytes:
    return b'{"db_id":%d,"email":"someone%06d@example.com"}' % (number % 50, number)


def _numbered(body: bytes, number: int) -> bytes:
    return body.replace(b"%06d", b"%06d" % number)


def _post(api_method: str, content_type: bytes, body: bytes, header: bytes = b"") -> bytes:
    line = f"POST {BASE}{api_method} HTTP/1.1\r\nHost: localhost\r\n".encode()
    return b"%sContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
        line,
        content_type,
        header,
        len(body),
        body,
    )
