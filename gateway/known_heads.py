"""Heads that were read before: an application writes the same one again and again, to the last byte.

A head says the same whenever it comes, so it is read once: by httptools, by `head`, and by those who admit
calls. Refuses what is another's for each call, what does not say where its body ends, and a request of which
not all has come: those are read as ever.
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
        """The head of a request that is `data`, no more and no less."""
        known = self._known.get(data[: data.find(_END) + len(_END)])
        return known if known is not None and known.whole == len(data) else None

    def learn(self, data: bytes, head: Head) -> None:
        """`head` was read out of `data`, from its first byte on. It is kept if it may come again."""
        size = data.find(_END) + len(_END)
        if head.length is None or size > LONGEST or head.query:
            return
        whole = size + head.length
        if whole != len(data) or not _VARYING.isdisjoint(head.headers):
            return
        try:
            self._known.put(data[:size], Known(head, self._admit(head), size, whole))
        except errors.CallError:
            return  # each such call is refused for itself
