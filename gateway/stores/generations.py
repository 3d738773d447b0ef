"""The generations of tags: whether anything has changed since a read began. See `gateway.stores.cache`.

A generation is an object, so that no other one is ever equal to it. It lives for as long as somebody depends
on it, a read in flight or a kept reply; nobody can miss the one that nobody has. So the table needs no bound
of its own, and to change a tag is to forget its generation: whoever asks next begins a new one.

A *hold* closes its tags until a moment. It needs no timer: whoever asks next ends what is over by `now`.
Times are in seconds of any one clock that does not go back.
"""

import heapq
from collections.abc import Collection
from itertools import count
from weakref import KeyedRef, WeakValueDictionary

from gateway.stores.cache import Snapshot, Tags, WriteMark


class Generation:
    """What a tag is between two changes."""

    __slots__ = ("__weakref__", "entries", "is_current", "tag")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.is_current = True
        self.entries = 0  # kept replies that depend on it: the cache's own count

    def __repr__(self) -> str:
        return f"<Generation of {self.tag!r}{'' if self.is_current else ', over'}>"


class Generations:
    """The table of all tags that somebody depends on, and the holds on them."""

    def __init__(self) -> None:
        self._current: WeakValueDictionary[str, Generation] = WeakValueDictionary()
        # The tags of most writes have no generation: the dictionary below says so at the price of one look.
        self._known: dict[str, KeyedRef[str, Generation]] = self._current.data  # type: ignore[attr-defined]
        self._closed: dict[str, int] = {}  # holds by tag
        self._holds: dict[int, Tags] = {}
        self._ends: list[tuple[float, int]] = []  # a heap; holds that were opened stay in it for a while
        self._identities = count()

    def __len__(self) -> int:
        return len(self._current)

    def __repr__(self) -> str:
        return f"<Generations of {len(self._current)} tags, {len(self._holds)} holds>"

    def snapshot(self, tags: Tags, now: float) -> Snapshot:
        """What a read of these tags begins under."""
        self._end_holds(now)
        generations = tuple([self._generation(tag) for tag in tags])
        return Snapshot(generations, now, bool(self._closed) and not self._closed.keys().isdisjoint(tags))

    def are_current(self, snapshot: Snapshot, now: float) -> bool:
        """Whether the generations of the snapshot still hold."""
        self._end_holds(now)
        for generation in snapshot.generations:  # noqa: SIM110 - asked by every hit, and all() costs thrice that
            if not generation.is_current:
                return False
        return True

    def change(self, tags: Tags) -> list[Generation]:
        """End the generations of the tags; nothing that depends on them is good any more. Returns them."""
        ended: list[Generation] = []
        if self._known.keys().isdisjoint(tags):
            return ended
        for tag in tags:
            if (generation := self._current.pop(tag, None)) is not None:
                generation.is_current = False
                ended.append(generation)
        return ended

    def close(self, tags: Tags, until: float) -> WriteMark:
        """Change the tags, and hold them closed until that time or `open`."""
        self.change(tags)
        closed = self._closed
        for tag in tags:
            closed[tag] = closed.get(tag, 0) + 1
        identity = next(self._identities)
        self._holds[identity] = tags
        heapq.heappush(self._ends, (until, identity))
        return WriteMark(identity, tags)

    def open(self, mark: WriteMark, now: float) -> None:
        """End the hold, if it has not ended by itself, and change the tags."""
        self._end_holds(now)
        self._release(mark.identity)
        self.change(mark.tags)
        if len(self._ends) > 2 * len(self._holds) + 64:
            self._ends = [end for end in self._ends if end[1] in self._holds]
            heapq.heapify(self._ends)

    def _generation(self, tag: str) -> Generation:
        generation = self._current.get(tag)
        if generation is None:
            generation = self._current[tag] = Generation(tag)
        return generation

    def _end_holds(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            _, identity = heapq.heappop(self._ends)
            self.change(self._release(identity))

    def _release(self, identity: int) -> Tags:
        """Forget the hold. Returns its tags; none when it has ended already."""
        tags = self._holds.pop(identity, ())
        closed = self._closed
        for tag in tags:
            if (holds := closed[tag]) == 1:
                del closed[tag]
            else:
                closed[tag] = holds - 1
        return tags


def were_current_until(snapshot: Snapshot, ended: Collection[Generation]) -> bool:
    """Whether the snapshot was overtaken by the end of these generations, and by nothing else."""
    return all(generation.is_current or generation in ended for generation in snapshot.generations)
