"""What the memory store promises beyond the contract: its bound, its gauges, and that it never suspends."""

import asyncio
import gc
import tracemalloc
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from gateway.codec.negotiation import Format
from gateway.stores.cache import EVERY_READ, CacheEntry, Tags
from gateway.stores.memory_cache import LARGEST_SHARE, PURGE_SLICE, MemoryCache, Recount
from tests.stores.backends import MINUTE, Clock, MemoryBackend, entry, read_of, write_of

T = TypeVar("T")
MEBIBYTE = 2**20
READ = read_of(7)


def at_once(step: Coroutine[Any, Any, T]) -> T:
    """The result of a step that does not suspend."""
    try:
        step.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it suspends")


def keep(store: MemoryCache, key: bytes, body: bytes = b"{}", tags: Tags = READ) -> bool:
    return at_once(store.store(key, entry(body), at_once(store.begin_read(tags)), MINUTE))


def is_kept(store: MemoryCache, key: bytes) -> bool:
    return at_once(store.lookup(key)) is not None


def gauges(store: MemoryCache) -> Recount:
    return Recount(store.entries, store.bytes)


def test_no_step_but_the_count_of_a_purge_suspends() -> None:
    store = MemoryBackend().store
    snapshot = at_once(store.begin_read(READ))
    at_once(store.still_valid(snapshot))
    at_once(store.store(b"key", entry(), snapshot, MINUTE))
    at_once(store.lookup(b"key"))
    at_once(store.end_write(at_once(store.begin_write(READ, MINUTE)), 60))


@pytest.mark.parametrize("one_tag_each", [False, True], ids=["common tags", "a tag of its own for each"])
def test_ten_thousand_keys_stay_within_a_mebibyte(one_tag_each: bool) -> None:
    store = MemoryBackend(MEBIBYTE).store
    for number in range(10_000):
        assert keep(store, b"key %d" % number, b"x" * 200, read_of(number if one_tag_each else number % 10))
        assert store.bytes <= MEBIBYTE

    assert gauges(store) == store.recount()
    assert store.entries + store.evictions == 10_000
    assert store.entries > 500
    assert len(store._generations) <= store.entries + 20


@pytest.mark.parametrize("one_tag_each", [False, True], ids=["common tags", "a tag of its own for each"])
def test_the_bytes_that_are_counted_are_no_less_than_those_that_are_taken(one_tag_each: bool) -> None:
    """By the interpreter's own count of what it handed out. The cache's may be careful, but not wild."""
    store = MemoryBackend(2**26).store
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(5000):
            # Nothing is shared with the test: bodies, keys, headers and tags are new each time.
            reply = CacheEntry(0, 200, bytes(bytearray(b"application/json")), bytes(200), Format.JSON)
            tags = read_of(1000 + number if one_tag_each else 7)
            snapshot = at_once(store.begin_read(tags))
            at_once(store.store(b"account token fingerprint %d" % number, reply, snapshot, MINUTE))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert store.entries == 5000
    assert taken <= store.bytes <= 1.5 * taken


def test_the_least_recently_used_goes_first() -> None:
    store = MemoryBackend(16_000).store  # room for four
    for name in (b"a", b"b", b"c", b"d"):
        keep(store, name, bytes(3000), ("tag",))
    is_kept(store, b"a")

    keep(store, b"e", bytes(3000), ("tag",))

    assert [name for name in (b"a", b"b", b"c", b"d", b"e") if is_kept(store, name)] == [
        b"a",
        b"c",
        b"d",
        b"e",
    ]
    assert store.evictions == 1
    assert gauges(store) == store.recount()


def test_a_reply_that_is_too_large_is_not_kept_and_pushes_nothing_out() -> None:
    store = MemoryBackend(40_000).store
    keep(store, b"small")

    assert not keep(store, b"large", bytes(40_000 // LARGEST_SHARE))
    assert is_kept(store, b"small")
    assert store.evictions == 0


def test_the_size_of_a_reply_includes_its_tags() -> None:
    store = MemoryBackend(40_000).store
    assert keep(store, b"few", bytes(5000), ("a",))

    assert not keep(store, b"many", bytes(5000), tuple(f"tag {number}" for number in range(20)))


def test_a_reply_in_the_place_of_another_is_counted_once() -> None:
    store = MemoryBackend().store
    keep(store, b"key", bytes(5000))
    keep(store, b"key", bytes(50))

    assert store.entries == 1
    assert gauges(store) == store.recount()
    assert store.evictions == 0


def test_an_overtaken_reply_takes_room_until_it_is_looked_up() -> None:
    store = MemoryBackend().store
    keep(store, b"key")
    at_once(store.end_write(at_once(store.begin_write(write_of(7), MINUTE))))
    assert (store.entries, gauges(store)) == (1, store.recount())

    assert not is_kept(store, b"key")

    assert gauges(store) == store.recount() == Recount(0, 0)
    assert store.evictions == 0


def test_writes_and_purges_are_counted_once_each() -> None:
    store = MemoryBackend().store
    at_once(store.end_write(at_once(store.begin_write(write_of(7), MINUTE)), 60))
    asyncio.run(store.purge((EVERY_READ,)))

    assert store.invalidations == 2


def test_a_smaller_bound_takes_effect_at_once() -> None:
    store = MemoryBackend().store
    for number in range(100):
        keep(store, b"key %d" % number, bytes(1000))

    store.resize(20_000)

    assert 0 < store.bytes <= 20_000
    assert gauges(store) == store.recount()
    assert is_kept(store, b"key 99")
    assert not is_kept(store, b"key 0")


def test_a_bound_of_nothing_keeps_nothing() -> None:
    store = MemoryBackend().store
    keep(store, b"key")
    store.resize(0)

    assert not keep(store, b"key")
    assert gauges(store) == Recount(0, 0)


@pytest.mark.anyio
async def test_a_purge_takes_effect_at_once_and_lets_others_run_while_it_counts() -> None:
    store = MemoryBackend().store
    size = 4 * PURGE_SLICE
    for number in range(size):
        keep(store, b"key %d" % number)
    purge = asyncio.create_task(store.purge((EVERY_READ,)))
    await asyncio.sleep(0)

    assert 0 < store.entries < size
    assert not is_kept(store, b"key %d" % (size - 1))
    keep(store, b"new")

    # One reply went by our own look at it, which the purge then no longer finds.
    assert await purge == size - 1
    assert is_kept(store, b"new")
    assert gauges(store) == store.recount()


@pytest.mark.anyio
async def test_a_purge_that_is_cancelled_has_purged() -> None:
    store = MemoryBackend().store
    for number in range(4 * PURGE_SLICE):
        keep(store, b"key %d" % number)
    purge = asyncio.create_task(store.purge((EVERY_READ,)))
    await asyncio.sleep(0)
    purge.cancel()
    with pytest.raises(asyncio.CancelledError):
        await purge

    assert not any(is_kept(store, b"key %d" % number) for number in range(4 * PURGE_SLICE))
    assert gauges(store) == Recount(0, 0)


def test_the_repr_says_how_full_it_is_and_shows_no_reply() -> None:
    store = MemoryCache(1000, Clock())

    assert repr(store) == "<MemoryCache 0 entries, 0 of 1000 bytes>"
