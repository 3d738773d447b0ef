"""Repeated requests: which are one request, and the first one's answer for the others.

The rule (platform documentation, "Deduplication of requests", newer text): a repeat is recognised by the
`Request-ID` header together with the token; without it by a checksum of body and headers, but only for
methods that support the checksum. Reads are never repeats. A repeat within a day of the first request gets
the same answer with `Duplicate-Request: true` and `Duplicate-Key`; adding a parameter to the address makes
another request. The older text names `X-Request-ID` and `X-Duplicate-...`.

Where the documentation is silent, this is assumed: a repeat that arrives while the first runs waits for it;
the answer is kept whatever its code, once the method itself ran; the same id with another method or body is
still a repeat, as the key is said to be the id and the token.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from gateway.sandbox.replies import Reply

DAY = 86400.0
# RFC 9110 section 7.6.1: these belong to the connection, so they say nothing about the request. The last two
# are Java's offer of HTTP/2, sent on a connection's first call only; `wire` renames the former.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "x-ignored-upgrade",
        "http2-settings",
    }
)


class Generation(Enum):
    """Which of the two published texts the platform follows; OFF is `API_DEDUPLICATION_ENABLE: false`."""

    NEWER = ""
    OLDER = "X-"
    OFF = None

    @property
    def request_id_header(self) -> str:
        return f"{self.value or ''}Request-ID".lower()

    def duplicate_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        prefix = self.value or ""
        return ((f"{prefix}Duplicate-Request", "true"), (f"{prefix}Duplicate-Key", key))


def checksum(target: bytes, headers: Iterable[tuple[str, str]], body: bytes) -> str:
    """Of everything that the sender chose: path and query, headers, body."""
    digest = hashlib.sha256(target + b"\n")
    for name, value in sorted(headers):
        if name not in _HOP_BY_HOP:
            digest.update(f"{name}: {value}\n".encode())
    digest.update(b"\n" + body)
    return digest.hexdigest()


@dataclass
class Turn:
    """One request's turn under its key. `kept` is the first one's reply; whoever runs the method sets it."""

    key: str | None
    first_at: float
    kept: Reply | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class Repeats:
    """The keys of the last day. `window` in seconds, from the first request."""

    def __init__(self, clock: Callable[[], float], window: float = DAY) -> None:
        self.window = window
        self._clock = clock
        self._turns: dict[str, Turn] = {}

    @asynccontextmanager
    async def turn(self, key: str | None) -> AsyncIterator[Turn]:
        """Waits until no other request with `key` runs. A turn that ends without a reply leaves no trace, and
        the next one in line is then the first. A request without a key waits for nobody.
        """
        now = self._clock()
        self._expire(now)
        turn = Turn(key, now) if key is None else self._turns.setdefault(key, Turn(key, now))
        turn.waiting += 1
        try:
            async with turn.lock:
                yield turn
        finally:
            turn.waiting -= 1
            if turn.kept is None and not turn.waiting and key is not None and self._turns.get(key) is turn:
                del self._turns[key]

    def _expire(self, now: float) -> None:
        # In the order of the first requests; one that still runs is not forgotten, however old.
        expired: list[str] = []
        for key, turn in self._turns.items():
            if turn.first_at + self.window > now:
                break
            if not turn.waiting:
                expired.append(key)
        for key in expired:
            del self._turns[key]
