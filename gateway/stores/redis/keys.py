"""The names of everything in Redis. All begin with the prefix; none shows a parameter, a caller's key or a
token, since names turn up in Redis' own log and monitors.

    c:  a reply          g:  a tag's generation      h:  the holds on a tag
    f:  a flight         e:  how a flight ended      a:  a gateway that lives      w:  its channel
"""

import base64
import hashlib

from gateway.stores.cache import EVERY_READ, Key
from gateway.stores.flights import Identity

KNOWN_TAGS = 10_000
"""Tags whose names are kept ready."""


class Keys:
    """Makes names. All names of generations are equally long."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.encode()
        self._tags: dict[str, bytes] = {}

    def entry(self, key: Key) -> bytes:
        return self.prefix + b"c:" + _digest(key, 18)

    def generation(self, tag: str, run: str) -> bytes:
        """`run` names a life of the server: what it had kept before it was started anew is of no use, since
        nobody knows which writes it has missed."""
        return self.prefix + b"g:" + self._tag(f"{run} {tag}" if tag == EVERY_READ else tag)

    def hold(self, tag: str) -> bytes:
        return self.prefix + b"h:" + self._tag(tag)

    def flight(self, identity: Identity) -> bytes:
        return self.prefix + b"f:" + _digest(identity, 18)

    def end(self, request_id: str) -> bytes:
        return self.prefix + b"e:" + _digest(request_id.encode(), 18)

    def alive(self, gateway: str) -> bytes:
        return self.prefix + b"a:" + gateway.encode()

    def channel(self, gateway: str) -> bytes:
        return self.prefix + b"w:" + gateway.encode()

    def _tag(self, tag: str) -> bytes:
        known = self._tags.get(tag)
        if known is None:
            if len(self._tags) >= KNOWN_TAGS:
                self._tags.clear()
            known = self._tags[tag] = _digest(tag.encode(), 12)
        return known


def _digest(data: bytes, size: int) -> bytes:
    return base64.urlsafe_b64encode(hashlib.blake2b(data, digest_size=size).digest())
