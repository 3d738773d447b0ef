"""Heads that were read before: an application writes the same one again and again, to the last byte.

A head says the same whenever it comes, so it is read once: by httptools, by `head`, and by those who admit
calls. Refuses what is another's for each call, and what does not say where its body ends: those are read as
ever.
"""

from collections.abc import Callable

import msgspec

from gateway import errors
from gateway.dataplane import Admitted
from gateway.head import Head
from gateway.headers import (
    EXPECT,
    IDEMPOTENCY_KEY,
    REQUEST_ID,
    TRACEPARENT,
    TRACESTATE,
    TRANSFER_ENCODING,
)
from gateway.remembered import Remembered
from gateway.room import SMALL

MOST = 1024
"""Callers times methods times the lengths of their bodies."""

LONGEST = 2048
"""Bytes of a head that is kept."""

_END = b"\r\n\r\n"
_VARYING = frozenset((EXPECT, TRANSFER_ENCODING, REQUEST_ID, IDEMPOTENCY_KEY, TRACEPARENT, TRACESTATE))


class Known(msgspec.Struct, frozen=True, gc=False):
    """A head, and what follows from it."""

    head: Head
    admitted: Admitted
    size: int  # bytes of it
    whole: int  # bytes of it and its body


class KnownHeads:
    """Those of one configuration. `admit` raises CallError for a head that is refused."""

    def __init__(self, admit: Callable[[Head], Admitted]) -> None:
        self._admit = admit
        self._known: Remembered[bytes, Known] = Remembered(MOST)

    def __len__(self) -> int:
        return len(self._known)

    def find(self, data: bytes) -> Known | None:
        """The head of a request of which `data` is all, or the beginning; all, where its body is large: such
        a one may have to wait for room before any of it is read."""
        known = self._known.get(data[: data.find(_END) + len(_END)])
        if known is None or known.whole == len(data):
            return known
        return known if len(data) < known.whole <= SMALL else None

    def learn(self, raw: bytes, head: Head) -> None:
        """`head` was read out of `raw`, if that is one head. It is kept if it may come again."""
        if raw.find(_END) + len(_END) != len(raw) or len(raw) > LONGEST:
            return
        if head.length is None or head.query or not _VARYING.isdisjoint(head.headers):
            return
        try:
            self._known.put(raw, Known(head, self._admit(head), len(raw), len(raw) + head.length))
        except errors.CallError:
            return  # each such call is refused for itself
