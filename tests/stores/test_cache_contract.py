"""What every cache promises of replies that are kept, and of purges."""

import pytest

from gateway.stores.cache import EVERY_READ, CacheStore, Tags, method_tag, scoped
from tests.stores.backends import (
    KEY,
    MINUTE,
    PLATFORM,
    Backend,
    body_of,
    entry,
    keep,
    read_of,
    write,
    write_of,
)

pytestmark = pytest.mark.anyio

OTHER_PLATFORM = "https://other.example.com/api/v1.1"


async def test_what_was_stored_is_found_as_it_was(store: CacheStore) -> None:
    stored = await store.store(KEY, entry(b"<xml/>", 404), await store.begin_read(read_of(7)), MINUTE)

    found = await store.lookup(KEY)

    assert stored
    assert found is not None
    assert found.entry == entry(b"<xml/>", 404)


async def test_nothing_answers_for_another_key(store: CacheStore) -> None:
    await keep(store, b"account-a token-1 call")

    for other in (b"account-b token-1 call", b"account-a token-2 call", b"account-a token-1 call2"):
        assert await store.lookup(other) is None


async def test_the_age_counts_from_the_beginning_of_the_read(store: CacheStore, backend: Backend) -> None:
    snapshot = await store.begin_read(read_of(7))
    backend.advance(4)
    await store.store(KEY, entry(), snapshot, MINUTE)
    backend.advance(3)

    found = await store.lookup(KEY)

    assert found is not None
    assert found.age == pytest.approx(7)


async def test_a_reply_is_kept_for_its_time_and_no_longer(store: CacheStore, backend: Backend) -> None:
    await keep(store, kept=10)

    backend.advance(9.75)
    assert await store.lookup(KEY) is not None
    backend.advance(0.25)
    assert await store.lookup(KEY) is None


async def test_a_reply_that_took_longer_than_it_may_be_kept_is_not_stored(
    store: CacheStore, backend: Backend
) -> None:
    snapshot = await store.begin_read(read_of(7))
    backend.advance(10)

    assert not await store.store(KEY, entry(), snapshot, 10)
    assert await store.lookup(KEY) is None


async def test_a_new_reply_takes_the_place_of_the_old_one(store: CacheStore, backend: Backend) -> None:
    await keep(store, body=b"old")
    backend.advance(1)
    await keep(store, body=b"new")

    assert await body_of(store) == b"new"


async def test_the_reply_of_an_earlier_read_never_takes_the_place_of_a_later_one_s(
    store: CacheStore, backend: Backend
) -> None:
    slow = await store.begin_read(read_of(7))
    backend.advance(1)
    await keep(store, body=b"later")

    assert not await store.store(KEY, entry(b"earlier"), slow, MINUTE)
    assert await body_of(store) == b"later"


@pytest.mark.parametrize(
    ("tags", "gone"),
    [
        pytest.param((EVERY_READ,), {b"get 7", b"get 8", b"list", b"elsewhere"}, id="all"),
        pytest.param((method_tag("databases/get"),), {b"get 7", b"get 8", b"elsewhere"}, id="a method"),
        pytest.param(scoped(PLATFORM, ("db:7",)), {b"get 7"}, id="a tag"),
        pytest.param(scoped(PLATFORM, ("db:7", "db:8")), {b"get 7", b"get 8"}, id="two tags"),
        pytest.param(scoped(PLATFORM, ("db:99",)), set(), id="a tag that nothing carries"),
        pytest.param(
            (method_tag("databases/get"), *scoped(PLATFORM, ("db:7",))),
            {b"get 7", b"get 8", b"elsewhere"},
            id="tags that meet",
        ),
    ],
)
async def test_a_purge_takes_what_carries_the_tags_and_counts_it(
    store: CacheStore, tags: Tags, gone: set[bytes]
) -> None:
    reads = {
        b"get 7": read_of(7),
        b"get 8": read_of(8),
        b"list": read_of(9, api_method="databases/list"),
        b"elsewhere": read_of(7, platform=OTHER_PLATFORM),
    }
    for key, carried in reads.items():
        await keep(store, key, carried)

    assert await store.purge(tags) == len(gone)
    assert {key for key in reads if await store.lookup(key) is None} == gone


async def test_a_purge_counts_good_replies_only(store: CacheStore, backend: Backend) -> None:
    await keep(store, b"overtaken")
    await keep(store, b"too old", read_of(8), kept=10)
    await write(store, write_of(7))
    backend.advance(10)
    await keep(store, b"good", read_of(8))

    assert await store.purge((EVERY_READ,)) == 1
    assert await store.purge((EVERY_READ,)) == 0


async def test_a_purge_overtakes_the_reads_in_flight(store: CacheStore) -> None:
    snapshot = await store.begin_read(read_of(7))

    await store.purge((EVERY_READ,))

    assert not await store.still_valid(snapshot)
    assert not await store.store(KEY, entry(), snapshot, MINUTE)


async def test_a_purge_closes_nothing(store: CacheStore) -> None:
    await store.purge((EVERY_READ,))

    assert await keep(store)


async def test_many_other_tags_do_no_harm_to_a_read_in_flight(store: CacheStore) -> None:
    snapshot = await store.begin_read(read_of(7))
    for db in range(5000):
        await store.begin_read(read_of(100 + db))

    assert await store.store(KEY, entry(), snapshot, MINUTE)
