"""Replies of reads in Redis. See `gateway.stores.cache` for what is promised, `scripts` for how.

While Redis is away nothing is found, kept or joined, and a write cannot say that it changes something. It
goes on all the same, or is refused, as `dedup.on_store_failure` says. What was kept before such a time is not
trusted after it: when the link comes back, the generation that every reply depends on is changed.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec

from gateway.errors import StoreAwayError
from gateway.stores.cache import EVERY_READ, CacheEntry, Found, Key, Snapshot, Tags, WriteMark
from gateway.stores.redis.keys import Keys
from gateway.stores.redis.link import Ask, Link, Refused
from gateway.stores.redis.scripts import BEGIN_READ, BEGIN_WRITE, CHANGE, END_WRITE, LOOKUP, STORE

SHARE = 64
"""No reply takes more than one part in so many of `cache.max_bytes`: all share one connection."""
GENERATION_KEPT = 600_000
"""Milliseconds that a generation lives without a reply that depends on it; a read has to end in that time."""
SLACK = 60_000
"""Milliseconds that Redis keeps what is over: whether it is, is told by the clock that is shared."""
SCANNED = 250
UNENDED = 1000
"""Ends of writes that are told later, since Redis was away; beyond it, leases end by themselves."""


class _Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    started_at: float
    until: float
    entry: CacheEntry


class _Generations(msgspec.Struct, frozen=True, gc=False):
    """What a snapshot holds: names and values as Redis has them."""

    names: tuple[bytes, ...]
    values: bytes
    until: float  # when a hold that was there ends: a change, though nobody makes it


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Kept)
_NEVER = float("inf")


class RedisCache:
    """A CacheStore. `scrub` masks tokens in what is kept; `now` is the shared clock."""

    def __init__(
        self,
        link: Link,
        max_bytes: int,
        *,
        refuse: bool,
        scrub: Callable[[bytes], bytes],
        now: Callable[[], float] | None = None,
    ) -> None:
        self._link = link
        self._keys: Keys = link.keys
        self._now = now or link.now
        self._max_bytes = max_bytes
        self._refuse = refuse
        self._scrub = scrub
        self._numbers = count()
        self._unended: deque[tuple[WriteMark, bytes | int, int]] = deque(maxlen=UNENDED)
        self._origin = os.urandom(6)
        self.invalidations = 0
        link.on_recovery.append(self._distrust)

    def resize(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    async def lookup(self, key: Key) -> Found | None:
        try:
            data = await self._link.script("lookup", LOOKUP, [self._keys.entry(key)])
            kept = None if data is None else _DECODER.decode(data)
        except (StoreAwayError, Refused, msgspec.DecodeError):
            return None
        now = self._now()
        if kept is None or now >= kept.until:
            return None
        return Found(kept.entry, max(0.0, now - kept.started_at))

    def at_hand(self, key: Key) -> Found | None:
        """Nothing is: only Redis knows whether another gateway has written since."""
        return None

    async def begin_read(self, tags: Tags) -> Snapshot:
        names = [self._keys.generation(tag) for tag in tags]
        holds = [self._keys.hold(tag) for tag in tags]
        now = self._now()
        try:
            values, till = await self._link.script(
                "begin_read", BEGIN_READ, [*names, *holds], _ms(now), self._unique(), GENERATION_KEPT
            )
        except (StoreAwayError, Refused):
            return Snapshot((), now, closed=True)
        until = _NEVER if till < 0 else till / 1000
        return Snapshot((_Generations(tuple(names), values, until),), now, closed=till >= 0)

    async def still_valid(self, snapshot: Snapshot) -> bool:
        if not snapshot.generations:
            return False
        [began] = snapshot.generations
        if self._now() >= began.until:
            return False
        try:
            values = await self._link.ask("still_valid", b"MGET", *began.names)
        except (StoreAwayError, Refused):
            return False
        return None not in values and b"".join(values) == began.values

    async def store(self, key: Key, entry: CacheEntry, snapshot: Snapshot, kept: float) -> bool:
        until = snapshot.started_at + kept
        left = until - self._now()
        if snapshot.closed or not snapshot.generations or left <= 0:
            return False
        [began] = snapshot.generations
        entry = msgspec.structs.replace(entry, body=self._scrub(entry.body))
        data = _ENCODER.encode(_Kept(snapshot.started_at, until, entry))
        if len(data) > self._max_bytes // SHARE:
            return False
        keys = [self._keys.entry(key), *began.names]
        ttl = _ms(left) + SLACK
        try:
            stored = await self._link.script(
                "store", STORE, keys, began.values, _ms(snapshot.started_at), data, ttl
            )
        except (StoreAwayError, Refused):
            return False
        return bool(stored)

    async def begin_write(self, tags: Tags, lease: float) -> WriteMark:
        """Raises StoreAwayError where writes are refused without Redis."""
        self.invalidations += 1
        mark = WriteMark(self._unique(), tags)
        until = self._now() + lease
        try:
            await self._mark("begin_write", BEGIN_WRITE, tags, _ms(until), mark.identity, _ms(lease) + SLACK)
        except StoreAwayError:
            if self._refuse:
                raise
        return mark

    async def end_write(self, mark: WriteMark, settle: float = 0.0) -> None:
        until = _ms(self._now() + settle) if settle > 0 else b""
        kept = _ms(settle) + SLACK
        try:
            await self._mark("end_write", END_WRITE, mark.tags, mark.identity, until, kept)
        except StoreAwayError:
            self._unended.append((mark, until, kept))

    async def purge(self, tags: Tags) -> int:
        """The tags change at once. Then all that was ever overtaken is cleared away, in slices.

        While Redis is away this is 0, and all of it is distrusted when it comes back.
        """
        self.invalidations += 1
        try:
            ended = await self._link.script("purge", CHANGE, self._names(tags))
            return await self._clear({value for value in ended if value is not None})
        except (StoreAwayError, Refused):
            self._link.fall("a purge could not be told")
            return 0

    async def _mark(self, operation: str, script: Any, tags: Tags, *arguments: bytes | int) -> None:
        """A mark that Redis does not get makes what it keeps untrue, so the link falls with it."""
        try:
            await self._link.script(operation, script, self._marked(tags), *arguments)
        except Refused as error:
            self._link.fall("a write could not be told")
            raise StoreAwayError(operation) from error
        except StoreAwayError:
            self._link.fall("a write could not be told")
            raise

    async def _clear(self, ended: set[bytes]) -> int:
        """Remove every reply that is not good. Returns how many were good until `ended` ended."""
        gone, cursor = 0, b"0"
        while True:
            cursor, found = await self._link.ask(
                "purge", b"SCAN", cursor, b"MATCH", self._keys.every_entry, b"COUNT", SCANNED
            )
            for key in found:
                gone += await self._clear_one(key, ended)
            if cursor == b"0":
                return gone

    async def _clear_one(self, key: bytes, ended: set[bytes]) -> bool:
        names, values, data = await self._link.ask("purge", b"HMGET", key, b"t", b"g", b"e")
        if data is None:
            return False
        began = _split(values, 16)
        length = len(names) // len(began)
        now_there = await self._link.ask("purge", b"MGET", *_split(names, length))
        if now_there == began and self._now() < _DECODER.decode(data).until:
            return False
        await self._link.ask("purge", b"DEL", key)
        was_good = all(
            there == value or value in ended for there, value in zip(now_there, began, strict=True)
        )
        return was_good and self._now() < _DECODER.decode(data).until

    async def _distrust(self, ask: Ask) -> None:
        """What was kept before an outage may be older than a write that ended in it; so at a start, too:
        an earlier process may have died in one. Writes whose end could not be told end now."""
        ends = [
            self._link.run_command(END_WRITE, self._marked(mark.tags), mark.identity, until, kept)
            for mark, until, kept in self._unended
        ]
        await asyncio.gather(ask(b"DEL", self._keys.generation(EVERY_READ)), *[ask(*end) for end in ends])
        for _ in ends:
            self._unended.popleft()

    def _marked(self, tags: Tags) -> list[bytes]:
        return [*self._names(tags), *[self._keys.hold(tag) for tag in tags]]

    def _names(self, tags: Tags) -> list[bytes]:
        return [self._keys.generation(tag) for tag in tags]

    def _unique(self) -> bytes:
        """14 bytes that nobody has used before."""
        return self._origin + next(self._numbers).to_bytes(8, "big")


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _split(data: bytes, length: int) -> list[bytes]:
    return [data[start : start + length] for start in range(0, len(data), length)]
