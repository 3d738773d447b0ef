"""Heads that were read before: an application writes the same one again and again, but for its body's length.

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
    CONTENT_LENGTH,
    EXPECT,
    IDEMPOTENCY_KEY,
    REQUEST_ID,
    TRACEPARENT,
    TRACESTATE,
    TRANSFER_ENCODING,
)
from gateway.remembered import Remembered

MOST = 1024
"""Callers times methods; and four times as many with their lengths."""

LONGEST = 2048
"""Bytes of a head that is kept."""

DIGITS = 9
"""Of a length, at most; a head is learned where that many more would still be within the limit."""

_END = b"\r\n\r\n"
_LENGTH, _LENGTH_IN_LOWER_CASE = b"\r\nContent-Length: ", b"\r\ncontent-length: "
_VARYING = frozenset((EXPECT, TRANSFER_ENCODING, REQUEST_ID, IDEMPOTENCY_KEY, TRACEPARENT, TRACESTATE))


class Known(msgspec.Struct, frozen=True, gc=False):
    """A head, and what follows from it."""

    head: Head
    admitted: Admitted
    size: int  # bytes of this one
    whole: int  # bytes of it and its body


class KnownHeads:
    """Those of one configuration. `admit` raises CallError for a head that is refused; `header_bytes` is the
    limit on heads."""

    def __init__(self, admit: Callable[[Head], Admitted], header_bytes: int) -> None:
        self._admit = admit
        self._longest = min(LONGEST, header_bytes - DIGITS)
        self._learned: Remembered[bytes, tuple[Head, Admitted]] = Remembered(MOST)
        self._met: Remembered[int, bool] = Remembered(4 * MOST)  # once; some never come again
        self._seen: Remembered[bytes, Known] = Remembered(4 * MOST)  # to the last byte: found by one look

    def __len__(self) -> int:
        """How many were learned."""
        return len(self._learned)

    def find(self, data: bytes) -> Known | None:
        """The head of a request of which `data` is all, or the beginning."""
        raw = data[: data.find(_END) + len(_END)]
        known = self._seen.get(raw) or self._see(raw)
        return known if known is not None and len(data) <= known.whole else None

    def learn(self, raw: bytes, head: Head) -> None:
        """`head` was read out of `raw`, if that is one head. It is kept if it may come again, and has."""
        parted = _parted(raw)
        if parted is None or len(raw) > self._longest or head.query or not _VARYING.isdisjoint(head.headers):
            return
        without_length, length = parted
        if length != head.length or raw.find(_END) + len(_END) != len(raw):
            return
        met = hash(without_length)
        if self._met.get(met) is None:
            self._met.put(met, True)
            return
        try:
            self._learned.put(without_length, (head, self._admit(head)))
        except errors.CallError:
            return  # each such call is refused for itself

    def _see(self, raw: bytes) -> Known | None:
        """One that was learned, with another length."""
        parted = _parted(raw)
        learned = None if parted is None else self._learned.get(parted[0])
        if parted is None or learned is None:
            return None
        length, (head, admitted) = parted[1], learned
        if length > admitted.limit:
            return None
        head = head._replace(length=length, headers={**head.headers, CONTENT_LENGTH: b"%d" % length})
        known = Known(head, admitted, len(raw), len(raw) + length)
        self._seen.put(raw, known)
        return known


def _parted(raw: bytes) -> tuple[bytes, int] | None:
    """A head but for the digits of its length, and that length. None where it has none, or not in the one way
    that programs write it.

    No two heads are one without their digits: these stand behind the first such name.
    """
    place = raw.find(_LENGTH)
    if place < 0 and (place := raw.find(_LENGTH_IN_LOWER_CASE)) < 0:
        return None
    begin = place + len(_LENGTH)
    end = raw.find(b"\r\n", begin)
    digits = raw[begin:end]
    if len(digits) > DIGITS or not digits.isdigit():
        return None
    return raw[:begin] + raw[end:], int(digits)
