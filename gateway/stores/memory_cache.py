"""Replies of reads in this process's memory, bounded in bytes; the least recently used go first.

No method but `purge` suspends, so each is one step for everybody else on the loop. For one event loop.

A reply that a write has overtaken is not searched for: it is never given again, and its room comes back when
it is next looked up, at a purge, or as the least recently used.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection

import msgspec

from gateway.stores.cache import CacheEntry, Found, Key, Snapshot, Tags, WriteMark
from gateway.stores.generations import Generation, Generations, were_current_until

ENTRY_OVERHEAD = 520
"""Bytes that a reply takes beside its key, body and tags: the objects, the dictionary's place. Measured,
rounded up."""

TAG_OVERHEAD = 300
"""Bytes that a tag takes beside its name, once for all replies that carry it. Measured, rounded up."""

TAG_PLACE = 8
"""Bytes that a reply takes for each of its tags."""

LARGEST_SHARE = 4
"""No reply takes more than one part in so many of the whole room: it would push out too many others."""

PURGE_SLICE = 250
"""Replies that a purge looks at before it lets others run: about a millisecond's work."""


class _Kept(msgspec.Struct, frozen=True, gc=False):
    entry: CacheEntry
    snapshot: Snapshot
    until: float
    size: int  # without its tags


class Recount(msgspec.Struct, frozen=True):
    """The gauges counted anew, by looking at everything."""

    entries: int
    bytes: int


class MemoryCache:
    """The default store. `now` gives seconds of a clock that does not go back."""

    def __init__(self, max_bytes: int, now: Callable[[], float]) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._generations = Generations()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()  # the least recently used first
        self.bytes = 0
        self.evictions = 0  # replies that went for room
        self.invalidations = 0  # writes and purges

    @property
    def entries(self) -> int:
        """Replies that take room, good or overtaken."""
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<MemoryCache {self.entries} entries, {self.bytes} of {self._max_bytes} bytes>"

    async def lookup(self, key: Key) -> Found | None:
        return self.at_hand(key)

    def at_hand(self, key: Key) -> Found | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        now = self._now()
        if not self._is_good(kept, now):
            self._remove(key)
            return None
        self._kept.move_to_end(key)
        return Found(kept.entry, now - kept.snapshot.started_at)

    async def begin_read(self, tags: Tags) -> Snapshot:
        return self._generations.snapshot(tags, self._now())

    async def still_valid(self, snapshot: Snapshot) -> bool:
        return self._generations.are_current(snapshot, self._now())

    async def store(self, key: Key, entry: CacheEntry, snapshot: Snapshot, kept: float) -> bool:
        new = _Kept(entry, snapshot, snapshot.started_at + kept, _size(key, entry, snapshot))
        if snapshot.closed or not self._is_good(new, self._now()) or self._is_too_large(new):
            return False
        old = self._kept.get(key)
        if old is not None:
            if old.snapshot.started_at > snapshot.started_at:
                return False
            self._remove(key)
        self._add(key, new)
        self._make_room()
        return True

    async def begin_write(self, tags: Tags, lease: float) -> WriteMark:
        self.invalidations += 1
        return self._generations.close(tags, self._now() + lease)

    async def end_write(self, mark: WriteMark, settle: float = 0.0) -> None:
        now = self._now()
        self._generations.open(mark, now)
        if settle > 0:
            self._generations.close(mark.tags, now + settle)

    async def purge(self, tags: Tags) -> int:
        """The tags change at once. Then all that was ever overtaken is cleared away, in slices."""
        self.invalidations += 1
        ended = frozenset(self._generations.change(tags))
        keys = list(self._kept)
        gone = 0
        for start in range(0, len(keys), PURGE_SLICE):
            gone += sum([self._clear(key, ended) for key in keys[start : start + PURGE_SLICE]])
            await asyncio.sleep(0)
        return gone

    def resize(self, max_bytes: int) -> None:
        """Another bound from now on, after a reload."""
        self._max_bytes = max_bytes
        self._make_room()

    def recount(self) -> Recount:
        """What `entries` and `bytes` should say."""
        tags = {generation for kept in self._kept.values() for generation in kept.snapshot.generations}
        sizes = [_size(key, kept.entry, kept.snapshot) for key, kept in self._kept.items()]
        return Recount(len(sizes), sum(sizes) + sum(map(_tag_size, tags)))

    def _is_good(self, kept: _Kept, now: float) -> bool:
        return now < kept.until and self._generations.are_current(kept.snapshot, now)

    def _is_too_large(self, kept: _Kept) -> bool:
        whole = kept.size + sum(map(_tag_size, kept.snapshot.generations))
        return whole > self._max_bytes // LARGEST_SHARE

    def _clear(self, key: Key, ended: Collection[Generation]) -> bool:
        """Remove the reply unless it is good. Returns whether it was good until `ended` ended."""
        kept, now = self._kept.get(key), self._now()
        if kept is None or self._is_good(kept, now):
            return False
        self._remove(key)
        return now < kept.until and were_current_until(kept.snapshot, ended)

    def _make_room(self) -> None:
        while self.bytes > self._max_bytes and self._kept:
            self._remove(next(iter(self._kept)))
            self.evictions += 1

    def _add(self, key: Key, kept: _Kept) -> None:
        self._kept[key] = kept
        self.bytes += kept.size
        for generation in kept.snapshot.generations:
            generation.entries += 1
            if generation.entries == 1:
                self.bytes += _tag_size(generation)

    def _remove(self, key: Key) -> None:
        kept = self._kept.pop(key)
        self.bytes -= kept.size
        for generation in kept.snapshot.generations:
            generation.entries -= 1
            if not generation.entries:
                self.bytes -= _tag_size(generation)


def _size(key: Key, entry: CacheEntry, snapshot: Snapshot) -> int:
    """What a reply takes beside its tags."""
    places = TAG_PLACE * len(snapshot.generations)
    return ENTRY_OVERHEAD + len(key) + len(entry.body) + len(entry.content_type) + places


def _tag_size(generation: Generation) -> int:
    return TAG_OVERHEAD + len(generation.tag)
