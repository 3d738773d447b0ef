"""The names of everything in Redis. All begin with the prefix; none shows a parameter, a caller's key or a
token, since names turn up in Redis' own log and monitors.

    c1: a reply          g:  a tag's generation      h:  the holds on a tag
    f1: a flight         e1: how a flight ended      a:  a gateway that lives      w:  its channel
    b:  the turns of an account

A number is the format's: gateways whose versions pack something differently do not share that.
"""

import base64
import hashlib
import re

from gateway.stores.cache import Key
from gateway.stores.flights import Identity

KNOWN_TAGS = 10_000
"""Tags whose names are kept ready."""


class Keys:
    """Makes names. All names of generations are equally long."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix.encode()
        self._tags: dict[str, bytes] = {}

    def entry(self, key: Key) -> bytes:
        return self.prefix + b"c1:" + _digest(key, 18)

    @property
    def every_entry(self) -> bytes:
        """The pattern of the names of replies; what has a meaning in patterns is taken literally."""
        return re.sub(rb"([\\*?\[\]])", rb"\\\1", self.prefix) + b"c1:*"

    def generation(self, tag: str) -> bytes:
        return self.prefix + b"g:" + self._tag(tag)

    def hold(self, tag: str) -> bytes:
        return self.prefix + b"h:" + self._tag(tag)

    def flight(self, identity: Identity) -> bytes:
        return self.prefix + b"f1:" + _digest(identity, 18)

    def end(self, request_id: str) -> bytes:
        return self.prefix + b"e1:" + _digest(request_id.encode(), 18)

    def bucket(self, name: str) -> bytes:
        return self.prefix + b"b:" + _digest(name.encode(), 12)

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
