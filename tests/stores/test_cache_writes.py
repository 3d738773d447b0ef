"""What every cache promises of writes: no read that began before one ended leaves anything behind."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from gateway.stores.cache import CacheStore, Tags
from tests.stores.backends import (
    KEY,
    MINUTE,
    Backend,
    entry,
    keep,
    read_of,
    write,
    write_of,
    write_of_everything,
)

pytestmark = pytest.mark.anyio

OTHER_PLATFORM = "https://other.example.com/api/v1.1"


def interleavings() -> Iterator[Any]:
    """All orders of a read's two steps, the platform's reading in between, and a write's two."""
    for order in permutations(["begin_read", "store", "begin_write", "end_write"]):
        in_order = order.index("begin_read") < order.index("store")
        if in_order and order.index("begin_write") < order.index("end_write"):
            yield pytest.param(order, id=" ".join(order))


@pytest.mark.parametrize("tags", [write_of(7), write_of_everything()], ids=["its database", "everything"])
@pytest.mark.parametrize("order", list(interleavings()))
async def test_a_read_that_began_before_a_write_ended_leaves_nothing(
    store: CacheStore, order: tuple[str, ...], tags: Tags
) -> None:
    for step in order:
        match step:
            case "begin_read":
                snapshot = await store.begin_read(read_of(7))
            case "store":
                await store.store(KEY, entry(), snapshot, MINUTE)
            case "begin_write":
                mark = await store.begin_write(tags, MINUTE)
                assert await store.lookup(KEY) is None
            case "end_write":
                await store.end_write(mark)
                assert await store.lookup(KEY) is None

    began_after = order.index("begin_read") > order.index("end_write")
    assert (await store.lookup(KEY) is not None) == began_after
    assert await store.still_valid(snapshot) == began_after


async def test_a_read_may_be_joined_until_a_write_begins_or_ends(store: CacheStore) -> None:
    before = await store.begin_read(read_of(7))
    assert await store.still_valid(before)

    mark = await store.begin_write(write_of(7), MINUTE)
    during = await store.begin_read(read_of(7))
    assert not await store.still_valid(before)
    assert await store.still_valid(during)

    await store.end_write(mark)
    after = await store.begin_read(read_of(7))
    assert not await store.still_valid(during)
    assert await store.still_valid(after)


async def test_nothing_is_stored_while_a_write_is_in_progress(store: CacheStore) -> None:
    await store.begin_write(write_of(7), MINUTE)
    snapshot = await store.begin_read(read_of(7))

    assert snapshot.closed
    assert not await store.store(KEY, entry(), snapshot, MINUTE)


async def test_tags_stay_closed_until_the_last_of_two_writes_ends(store: CacheStore) -> None:
    first = await store.begin_write(write_of(7), MINUTE)
    second = await store.begin_write(write_of(7), MINUTE)

    await store.end_write(first)
    assert not await keep(store)

    await store.end_write(second)
    assert await keep(store)


async def test_a_write_leaves_what_it_does_not_concern(store: CacheStore) -> None:
    await keep(store, b"db 7")
    await keep(store, b"db 8", read_of(8))
    await keep(store, b"elsewhere", read_of(7, platform=OTHER_PLATFORM))

    await write(store, write_of(7))

    assert await store.lookup(b"db 7") is None
    assert await store.lookup(b"db 8") is not None
    assert await store.lookup(b"elsewhere") is not None


async def test_a_write_of_everything_takes_all_of_its_platform_and_nothing_of_another(
    store: CacheStore,
) -> None:
    await keep(store, b"db 7")
    await keep(store, b"db 8", read_of(8))
    await keep(store, b"elsewhere", read_of(7, platform=OTHER_PLATFORM))

    await write(store, write_of_everything())

    assert await store.lookup(b"db 7") is None
    assert await store.lookup(b"db 8") is None
    assert await store.lookup(b"elsewhere") is not None


async def test_a_reply_overtaken_under_any_one_of_its_tags_is_gone(store: CacheStore) -> None:
    tags = ("a", "b", "c")
    for changed in tags:
        await keep(store, tags=tags)
        await write(store, (changed,))

        assert await store.lookup(KEY) is None


async def test_a_writer_that_died_closes_its_tags_for_its_lease_only(
    store: CacheStore, backend: Backend
) -> None:
    await store.begin_write(write_of(7), 30)

    backend.advance(29.75)
    assert not await keep(store)
    backend.advance(0.25)
    assert await keep(store)


async def test_the_end_of_a_dead_writer_s_lease_overtakes_the_reads_of_its_time(
    store: CacheStore, backend: Backend
) -> None:
    await store.begin_write(write_of(7), 30)
    during = await store.begin_read(read_of(7))
    assert await store.still_valid(during)

    backend.advance(30)

    assert not await store.still_valid(during)
    assert not await store.store(KEY, entry(), during, MINUTE)


async def test_leases_end_each_at_its_own_time(store: CacheStore, backend: Backend) -> None:
    await store.begin_write(write_of(7), 30)
    await store.begin_write(write_of(8), 10)

    backend.advance(10)

    assert not await keep(store, b"db 7")
    assert await keep(store, b"db 8", read_of(8))


async def test_a_write_that_outlives_its_lease_still_overtakes_what_was_stored_since(
    store: CacheStore, backend: Backend
) -> None:
    mark = await store.begin_write(write_of(7), 30)
    backend.advance(30)
    await keep(store)

    await store.end_write(mark)

    assert await store.lookup(KEY) is None
    assert await keep(store)


async def test_a_late_end_opens_nothing_that_another_write_holds_closed(
    store: CacheStore, backend: Backend
) -> None:
    late = await store.begin_write(write_of(7), 30)
    backend.advance(30)
    await store.begin_write(write_of(7), 30)

    await store.end_write(late)

    assert not await keep(store)


async def test_after_an_unknown_outcome_nothing_is_stored_until_it_has_settled(
    store: CacheStore, backend: Backend
) -> None:
    await store.end_write(await store.begin_write(write_of(7), MINUTE), settle=20)

    assert not await keep(store)
    backend.advance(19.75)
    assert not await keep(store)
    backend.advance(0.25)
    assert await keep(store)


async def test_the_end_of_settling_overtakes_the_reads_of_its_time(
    store: CacheStore, backend: Backend
) -> None:
    await store.end_write(await store.begin_write(write_of(7), MINUTE), settle=20)
    during = await store.begin_read(read_of(7))
    assert await store.still_valid(during)

    backend.advance(20)

    assert not await store.still_valid(during)
    assert not await store.store(KEY, entry(), during, MINUTE)


async def test_settling_goes_on_when_another_write_ends(store: CacheStore, backend: Backend) -> None:
    await store.end_write(await store.begin_write(write_of(7), MINUTE), settle=20)
    await write(store, write_of(7))

    assert not await keep(store)
    backend.advance(20)
    assert await keep(store)


async def test_settling_closes_the_write_s_own_tags_only(store: CacheStore) -> None:
    await store.end_write(await store.begin_write(write_of(7), MINUTE), settle=20)

    assert await keep(store, tags=read_of(8))


async def test_a_tag_that_nobody_asked_for_meanwhile_is_still_changed(store: CacheStore) -> None:
    """However a store forgets tags, what began before a write stays overtaken."""
    snapshot = await store.begin_read(read_of(7))
    await write(store, write_of(7))
    for db in range(5000):
        await write(store, write_of(100 + db))

    assert not await store.still_valid(snapshot)
    assert not await store.store(KEY, entry(), snapshot, MINUTE)
