"""Reads and writes in any order, with delays, failures, lost outcomes and dead writers, against a dictionary.

The platform here is a version number for each of two databases. `good` is the oracle: what must be found
under each key, kept by the plainest rules there are. The promises under test are stated with nothing but
version numbers: no answer shows a version older than one whose write had ended when the answer was asked for.
"""

from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from gateway.codec.negotiation import Format
from gateway.stores.cache import EVERY_READ, CacheEntry, Snapshot, Tags, WriteMark, read_tags, scoped
from gateway.stores.memory_cache import MemoryCache, Recount
from tests.stores.backends import PLATFORM, Clock
from tests.stores.test_memory_cache import at_once

DATABASES = (1, 2)
KEPT = 60.0
LEASE = 30.0
SETTLE = 20.0
ROOMY, CRAMPED = 2**24, 45_000
BODY = 8000
"""Bytes of a reply, so that four of them fill the cramped store."""

Versions = dict[int, int]


class Question(NamedTuple):
    """What a read depends on, its key and its tags."""

    databases: tuple[int, ...]
    key: bytes
    tags: Tags


def _question(account: str, database: int | None) -> Question:
    """A read whose parameter cannot be told, here None, depends on all."""
    name = "db:*" if database is None else f"db:{database}"
    return Question(
        DATABASES if database is None else (database,),
        f"{account} {name}".encode(),
        read_tags(PLATFORM, "databases/get", ("*", "databases", name)),
    )


QUESTIONS = [_question(account, database) for account in "ab" for database in (*DATABASES, None)]
questions = st.sampled_from(QUESTIONS)


@dataclass(eq=False)
class Read:
    """A read in flight."""

    key: bytes
    databases: tuple[int, ...]
    snapshot: Snapshot
    started_at: float
    began_closed: bool
    overtaken: bool
    floors: list[Versions]  # what had ended when each of those who wait for it came
    seen: Versions | None = None


@dataclass(eq=False)
class Write:
    """A write that may still change the platform until `until`."""

    databases: tuple[int, ...]
    mark: WriteMark
    until: float
    committed: Versions
    is_over: bool = False


@dataclass
class Good:
    """What must be found."""

    body: bytes
    databases: tuple[int, ...]
    started_at: float


class CacheMachine(RuleBasedStateMachine):
    reads: Bundle[Read] = Bundle("reads")
    writes: Bundle[Write] = Bundle("writes")

    @initialize(max_bytes=st.sampled_from([ROOMY, CRAMPED]))
    def open(self, max_bytes: int) -> None:
        self.clock = Clock()
        self.store = MemoryCache(max_bytes, self.clock)
        self.max_bytes = max_bytes
        self.platform: Versions = dict.fromkeys(DATABASES, 0)
        self.ended: Versions = dict.fromkeys(DATABASES, 0)
        self.good: dict[bytes, Good] = {}
        self.in_flight: list[Read] = []
        self.holding: list[Write] = []  # each closes its databases

    # What happens.

    @rule(target=reads, asked=questions, fresh=st.booleans())
    def read(self, asked: Question, fresh: bool) -> Read | MultipleResults[Read]:
        """A caller asks. With `fresh` (no-cache) it neither looks nor joins."""
        databases, key, tags = asked
        if not fresh:
            self._look_up(key)
            joined = self._join(key)
            if joined is not None:
                return multiple()
        snapshot = at_once(self.store.begin_read(tags))
        began_closed = any(set(write.databases) & set(databases) for write in self.holding)
        assert snapshot.closed == began_closed
        read = Read(key, databases, snapshot, self.clock(), began_closed, False, [dict(self.ended)])
        self.in_flight.append(read)
        return read

    @rule(read=reads)
    def platform_reads(self, read: Read) -> None:
        """The platform looks at its state for the answer, once."""
        if read.seen is None:
            read.seen = {database: self.platform[database] for database in read.databases}

    @rule(read=consumes(reads), fails=st.booleans())
    def read_ends(self, read: Read, fails: bool) -> None:
        self.in_flight.remove(read)
        if fails or read.seen is None:
            return
        for floor in read.floors:
            assert all(version >= floor[database] for database, version in read.seen.items())
        body = repr(read.seen).encode().ljust(BODY)
        stored = at_once(
            self.store.store(read.key, CacheEntry(0, 200, b"", body, Format.JSON), read.snapshot, KEPT)
        )
        there = self.good.get(read.key)
        expected = (
            not read.overtaken
            and not read.began_closed
            and self.clock() < read.started_at + KEPT
            and (there is None or there.started_at <= read.started_at)
        )
        assert stored == expected or self.max_bytes == CRAMPED
        if stored:
            self.good[read.key] = Good(body, read.databases, read.started_at)

    @rule(asked=questions)
    def whole_read(self, asked: Question) -> None:
        read = self.read(asked, fresh=False)
        if isinstance(read, Read):
            self.platform_reads(read)
            self.read_ends(read, fails=False)

    @rule()
    def a_read_of_each(self) -> None:
        for asked in QUESTIONS:
            self.whole_read(asked)

    @rule(target=writes, databases=st.sampled_from([(1,), (2,), DATABASES]))
    def write(self, databases: tuple[int, ...]) -> Write:
        tags = scoped(PLATFORM, ("*",) if databases == DATABASES else (f"db:{databases[0]}", "db:*"))
        mark = at_once(self.store.begin_write(tags, LEASE))
        self._change(databases)
        write = Write(databases, mark, self.clock() + LEASE, {})
        self.holding.append(write)
        return write

    @rule(write=writes)
    def platform_writes(self, write: Write) -> None:
        """The platform runs it, while it can: before its end, or before its lease or settling is over."""
        if write in self.holding:
            for database in write.databases:
                self.platform[database] += 1
                write.committed[database] = self.platform[database]

    @rule(write=writes, known=st.booleans())
    def write_ends(self, write: Write, known: bool) -> None:
        """Its outcome is known, or it is not. A write that nobody ends is a writer that died."""
        if write.is_over:
            return
        write.is_over = True
        at_once(self.store.end_write(write.mark, 0 if known else SETTLE))
        self._change(write.databases)
        if known:
            self._write_is_over(write)
        else:
            write.until = self.clock() + SETTLE
            if write not in self.holding:
                self.holding.append(write)

    @rule(seconds=st.sampled_from([0.5, 5.0, SETTLE, LEASE]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for write in [write for write in self.holding if write.until <= self.clock()]:
            self._change(write.databases)
            self._write_is_over(write)
        self.good = {key: good for key, good in self.good.items() if self.clock() < good.started_at + KEPT}

    @rule(database=st.sampled_from([*DATABASES, None]))
    def purge(self, database: int | None) -> None:
        tags = (EVERY_READ,) if database is None else scoped(PLATFORM, (f"db:{database}", "db:*"))
        before = len(self.good)
        self._change(DATABASES if database is None else (database,))
        gone = _to_the_end(self.store, tags)
        assert gone == before - len(self.good) or self.max_bytes == CRAMPED

    # What must hold.

    @invariant()
    def gauges_equal_a_recount(self) -> None:
        assert Recount(self.store.entries, self.store.bytes) == self.store.recount()
        assert self.store.bytes <= self.max_bytes

    @rule(asked=questions)
    def look_up(self, asked: Question) -> None:
        self._look_up(asked.key)

    def teardown(self) -> None:
        """What nobody depends on is forgotten."""
        self.in_flight.clear()
        self.time_passes(LEASE + SETTLE + KEPT)
        for asked in QUESTIONS:
            self._look_up(asked.key)
        assert self.store.entries == self.store.bytes == 0

    def _look_up(self, key: bytes) -> None:
        found, good = at_once(self.store.lookup(key)), self.good.get(key)
        if found is None:
            assert good is None or self.max_bytes == CRAMPED
            return
        assert good is not None
        assert found.entry.body == good.body
        assert found.age == self.clock() - good.started_at < KEPT
        shown = {int(database): version for database, version in _versions(found.entry.body)}
        assert all(version >= self.ended[database] for database, version in shown.items())

    def _join(self, key: bytes) -> Read | None:
        for read in self.in_flight:
            if read.key == key:
                valid = at_once(self.store.still_valid(read.snapshot))
                assert valid != read.overtaken
                if valid:
                    read.floors.append(dict(self.ended))
                    return read
        return None

    def _change(self, databases: tuple[int, ...]) -> None:
        """What depends on these databases is overtaken."""
        for read in self.in_flight:
            read.overtaken = read.overtaken or bool(set(read.databases) & set(databases))
        self.good = {key: good for key, good in self.good.items() if not set(good.databases) & set(databases)}

    def _write_is_over(self, write: Write) -> None:
        if write in self.holding:
            self.holding.remove(write)
        for database, version in write.committed.items():
            self.ended[database] = max(self.ended[database], version)


def _versions(body: bytes) -> list[tuple[str, int]]:
    """What `repr` wrote of the versions seen."""
    pairs = [pair.split(": ") for pair in body.decode().strip("{} ").split(", ")]
    return [(database, int(version)) for database, version in pairs]


def _to_the_end(store: MemoryCache, tags: Tags) -> int:
    purge = store.purge(tags)
    while True:
        try:
            purge.send(None)
        except StopIteration as end:
            gone: int = end.value
            return gone


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=250, stateful_step_count=50, deadline=None)
