"""Heads of replies that came before, from one origin: out of equal bytes nothing else can be read.

A platform that answers many calls a second says the same up to the blank line, its clock included, as long as
the bodies are equally long. Such a reply needs no parser, if all of it has come at once. Refuses heads that
leave the end of their body open, and hardly learns from a platform whose heads are never the same twice.
"""

import msgspec

from gateway.remembered import Remembered
from gateway.upstream.reply_head import ReplyHead, read_head
from gateway.upstream.wire import RawHeaders

MOST = 64
LONGEST = 2 * 1024
"""Bytes of a head that is remembered."""

_END = b"\r\n\r\n"


class KnownHead(msgspec.Struct, frozen=True, gc=False):
    """What was read out of a head. `headers` are shared by all its replies."""

    status: int
    headers: RawHeaders
    said: ReplyHead
    size: int  # bytes
    whole: int  # bytes, with its body


class KnownHeads:
    """Those of one origin."""

    def __init__(self) -> None:
        self._known: Remembered[bytes, KnownHead] = Remembered(MOST)
        self._in_vain = 0  # heads to be learned since one came again

    def __len__(self) -> int:
        return len(self._known)

    def find(self, data: bytes) -> KnownHead | None:
        """The head of a reply, if `data` is all of it and nothing else."""
        known = self._known.get(data[: data.find(_END) + len(_END)])
        if known is None or known.whole != len(data):
            return None
        self._in_vain = 0
        return known

    def learn(self, data: bytes, body_size: int, status: int, headers: RawHeaders) -> KnownHead | None:
        """A whole reply was read out of `data`, which ended with it. Only where nothing but a head was in
        front of the body is that a head with a length. Returns it, if it is known now."""
        self._in_vain += 1
        if self._in_vain > MOST and self._in_vain % MOST:
            return None
        size = len(data) - body_size
        if size > LONGEST or data.find(_END) + len(_END) != size:
            return None
        known = KnownHead(status, headers, read_head(headers), size, len(data))
        self._known.put(data[:size], known)
        return known
