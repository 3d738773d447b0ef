"""The driver of reads: one question for many callers, in every order of events that it has to stand."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import permutations
from typing import Any, ParamSpec, TypeVar

import pytest

from gateway import errors
from gateway.call import Trail
from gateway.errors import CallError
from gateway.policy.freshness import CacheControl, Lifetime
from gateway.stores.cache import CacheEntry, Found, Key, Snapshot, Tags, WriteMark
from tests import builders
from tests.byhand import Platform
from tests.reading import NO_CACHE, NO_STORE, OF_DB_1, Rig, Told, memory, method
from tests.skipping import BACKEND, all_is_done

pytestmark = pytest.mark.anyio

P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


# One question for many.


@pytest.mark.parametrize("ttl", [60.0, 0.0])
@pytest.mark.parametrize("succeeds", [True, False], ids=["answered", "failed"])
async def test_a_hundred_identical_reads_are_one_question_and_wake_in_one_turn(
    ttl: float, succeeds: bool
) -> None:
    rig = Rig(memory(), Lifetime(ttl))
    turn = 0
    woken: list[int] = []
    trails = [builders.trail() for _ in range(100)]

    async def caller(trail: Trail) -> None:
        try:
            await rig.read(trail=trail)
        finally:
            woken.append(turn)

    tasks = [asyncio.create_task(caller(trail)) for trail in trails]
    await all_is_done()
    attempt = rig.platform.only
    if succeeds:
        attempt.answer(version=1)
    else:
        attempt.break_off()
    while not all(task.done() for task in tasks):
        turn += 1
        await asyncio.sleep(0)
    assert (len(woken), len(set(woken))) == (100, 1)

    first = "miss" if ttl else "bypass"
    assert Counter(trail.cache for trail in trails) == {first: 1, "collapsed": 99}
    if succeeds:
        stored = "; stored" if ttl else ""
        assert Counter((trail.origin, trail.cache_status.decode()) for trail in trails) == {
            ("upstream", f"gateway; fwd={first}{stored}"): 1,
            ("joined", f"gateway; fwd={first}; collapsed"): 99,
        }
    failures = {type(task.exception()) for task in tasks}
    assert failures == {type(None) if succeeds else CallError}
    rig.assert_idle()


async def test_what_a_caller_waits_for_anothers_question_is_no_time_of_the_gateways_own() -> None:
    rig = Rig(memory())
    first = await rig.asking()
    second = await rig.asking()
    await asyncio.sleep(8)
    rig.platform.only.answer()
    trails = [(await task).trail for task in (first, second)]
    assert [round(trail.upstream_seconds) for trail in trails] == [8, 8]
    assert [trail.attempts for trail in trails] == [1, 0]


async def test_reads_that_differ_are_questions_of_their_own() -> None:
    rig = Rig(memory())
    tasks = [await rig.asking(id=number) for number in (1, 2, 3)]
    for attempt in rig.platform.waiting:
        attempt.answer(version=attempt.params["id"])
    assert [(await task).body["version"] for task in tasks] == [1, 2, 3]


async def test_where_the_rule_says_so_identical_reads_are_not_joined() -> None:
    rig = Rig(memory(), method=method(coalesce=False))
    tasks = [await rig.asking() for _ in range(2)]
    assert len(rig.platform.waiting) == 2
    for attempt in rig.platform.waiting:
        attempt.answer()
    assert {(await task).trail.cache for task in tasks} == {"miss"}
    rig.assert_idle()


@pytest.mark.parametrize("ttl", [60.0, 0.0])
@pytest.mark.parametrize("control", [NO_CACHE, NO_STORE], ids=["no-cache", "no-store"])
async def test_a_caller_that_wants_a_new_answer_joins_nobody(control: CacheControl, ttl: float) -> None:
    rig = Rig(memory(), Lifetime(ttl))
    tasks = [await rig.asking(), await rig.asking(control)]
    assert len(rig.platform.waiting) == 2
    for attempt in rig.platform.waiting:
        attempt.answer()
    await asyncio.gather(*tasks)
    rig.assert_idle()


async def test_the_question_of_no_cache_may_be_joined_and_that_of_no_store_may_not() -> None:
    rig = Rig(memory())
    hidden = await rig.asking(NO_STORE)
    fresh = await rig.asking(NO_CACHE)
    joined = await rig.asking()
    first, second = rig.platform.waiting
    second.answer(version=2)
    assert [(await task).body["version"] for task in (fresh, joined)] == [2, 2]
    first.answer(version=1)
    assert (await hidden).body["version"] == 1
    assert (await rig.read()).body["version"] == 2


async def test_an_older_question_that_ends_later_does_not_hide_the_newer_one() -> None:
    rig = Rig(memory(), Lifetime(0.0))
    old = await rig.asking()
    new = await rig.asking(NO_CACHE)
    first, second = rig.platform.waiting
    first.answer(version=1)
    assert (await old).body["version"] == 1
    joined = await rig.asking()
    assert rig.platform.waiting == [second]
    second.answer(version=2)
    assert [(await task).body["version"] for task in (new, joined)] == [2, 2]


# Reads and writes in every order.

STEPS = ("ask", "answer", "begin write", "end write")


def orders() -> Iterator[Any]:
    """All orders of a read's two steps and a write's two."""
    for order in permutations(STEPS):
        if order.index("ask") < order.index("answer") and order.index("begin write") < order.index(
            "end write"
        ):
            yield pytest.param(order, id=", ".join(order))


@pytest.mark.parametrize("ttl", [60.0, 0.0])
@pytest.mark.parametrize("order", list(orders()))
async def test_a_read_that_began_before_a_write_ended_leaves_nothing_and_is_not_joined_after_it(
    order: tuple[str, ...], ttl: float
) -> None:
    rig = Rig(memory(), Lifetime(ttl))
    for step in order:
        match step:
            case "ask":
                read = await rig.asking()
                (attempt,) = rig.platform.attempts
            case "answer":
                attempt.answer(version="first")
                assert (await read).body["version"] == "first"
            case "begin write":
                mark = await rig.store.begin_write(OF_DB_1, 60.0)
            case _:
                await rig.store.end_write(mark)
                if rig.platform.waiting:
                    assert (await rig.answered(version="beside it")).trail.cache != "collapsed"

    last = await rig.asking()
    for attempt in rig.platform.waiting:
        attempt.answer(version="last")
    assert (await last).body["version"] == (_found_after(order) if ttl else "last")
    rig.assert_idle()


def _found_after(order: tuple[str, ...]) -> str:
    ended = order.index("end write")
    if order.index("ask") > ended:
        return "first"
    return "beside it" if order.index("answer") > ended else "last"


async def test_a_read_during_a_write_is_joined_while_it_lasts_and_leaves_nothing() -> None:
    rig = Rig(memory())
    mark = await rig.store.begin_write(OF_DB_1, 60.0)
    during = [await rig.asking(), await rig.asking()]
    attempt = rig.platform.only
    await rig.store.end_write(mark)
    after = await rig.asking()
    assert rig.platform.waiting[0] is attempt
    attempt.answer(version="old")
    assert [(await task).headers[0] for task in during] == [
        "gateway; fwd=miss",
        "gateway; fwd=miss; collapsed",
    ]
    rig.platform.only.answer(version="new")
    assert (await after).headers == ("gateway; fwd=miss; stored", None)


async def test_a_write_of_another_database_leaves_all_as_it_was() -> None:
    rig = Rig(memory())
    first = await rig.asking(id=2)
    await rig.write()
    joined = await rig.asking(id=2)
    rig.platform.only.answer()
    assert [(await task).trail.cache for task in (first, joined)] == ["miss", "collapsed"]
    assert (await rig.read(id=2)).trail.cache == "hit"


async def test_a_refresh_in_the_background_that_a_write_overtook_is_not_what_others_get() -> None:
    rig = Rig(memory())
    await rig.answered()
    await asyncio.sleep(70)
    assert (await rig.read()).trail.cache == "stale"
    await all_is_done()
    await rig.write()
    task = await rig.asking()
    refresh, asked = rig.platform.waiting
    refresh.answer(version="old")
    asked.answer(version="new")
    assert (await task).body["version"] == "new"
    assert (await rig.read()).body["version"] == "new"


# Callers that leave, and stores that take their time.


async def test_the_first_caller_leaves_and_the_others_get_the_answer() -> None:
    rig = Rig(memory())
    first, second = await rig.asking(), await rig.asking()
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    rig.platform.only.answer(version=1)
    assert (await second).body["version"] == 1
    rig.assert_idle()


async def test_when_all_leave_the_answer_is_kept_for_the_next() -> None:
    rig = Rig(memory())
    tasks = [await rig.asking() for _ in range(2)]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    rig.platform.only.answer(version=1)
    await all_is_done()
    assert (await rig.read()).trail.cache == "hit"
    rig.assert_idle()


async def test_each_caller_has_its_own_deadline() -> None:
    rig = Rig(memory())
    patient = await rig.asking()
    hasty = await rig.asking(patience=5.0)
    with pytest.raises(CallError) as late:
        await hasty
    assert late.value.kind is errors.UPSTREAM_TIMEOUT
    assert asyncio.get_running_loop().time() < 6
    rig.platform.only.answer(version=1)
    assert (await patient).body["version"] == 1


class SlowStore:
    """A store that suspends before each step and after it, as one behind a network does."""

    def __init__(self) -> None:
        self._store = memory()

    async def lookup(self, key: Key) -> Found | None:
        return await _slowly(self._store.lookup, key)

    def at_hand(self, key: Key) -> Found | None:
        return None

    async def begin_read(self, tags: Tags) -> Snapshot:
        return await _slowly(self._store.begin_read, tags)

    async def still_valid(self, snapshot: Snapshot) -> bool:
        return await _slowly(self._store.still_valid, snapshot)

    async def store(self, key: Key, entry: CacheEntry, snapshot: Snapshot, kept: float) -> bool:
        return await _slowly(self._store.store, key, entry, snapshot, kept)

    async def begin_write(self, tags: Tags, lease: float) -> WriteMark:
        return await _slowly(self._store.begin_write, tags, lease)

    async def end_write(self, mark: WriteMark, settle: float = 0.0) -> None:
        return await _slowly(self._store.end_write, mark, settle)

    async def purge(self, tags: Tags) -> int:
        return await _slowly(self._store.purge, tags)


async def _slowly(step: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    await asyncio.sleep(0)
    found = await step(*args, **kwargs)
    await asyncio.sleep(0)
    return found


@pytest.mark.parametrize("ttl", [60.0, 0.0])
async def test_over_a_slow_store_too_identical_reads_are_one_question(ttl: float) -> None:
    rig = Rig(SlowStore(), Lifetime(ttl))
    tasks = []
    for _ in range(100):
        tasks.append(asyncio.create_task(rig.read()))
        await asyncio.sleep(0)
    await all_is_done()
    rig.platform.only.answer(version=1)
    await asyncio.gather(*tasks)
    assert Counter(task.result().trail.cache for task in tasks)["collapsed"] == 99
    rig.assert_idle()


async def test_over_a_slow_store_too_stale_answers_begin_one_refresh() -> None:
    rig = Rig(SlowStore())
    await rig.answered()
    await asyncio.sleep(70)
    stale = await asyncio.gather(*[rig.read() for _ in range(10)])
    assert {told.trail.cache for told in stale} == {"stale"}
    await all_is_done()
    rig.platform.only.answer(version=2)
    await all_is_done()
    assert (await rig.read()).body["version"] == 2


async def test_over_a_slow_store_too_a_read_is_not_joined_after_a_write() -> None:
    rig = Rig(SlowStore())
    old = await rig.asking()
    await rig.write()
    new = [asyncio.create_task(rig.read()) for _ in range(5)]
    await all_is_done()
    first, second = rig.platform.waiting
    first.answer(version="old")
    second.answer(version="new")
    assert (await old).body["version"] == "old"
    assert {(await task).body["version"] for task in new} == {"new"}


@pytest.mark.parametrize("state", ["nothing kept", "fresh", "stale", "failing"])
async def test_a_caller_may_leave_at_every_await(state: str) -> None:
    """Cancelled after any number of the loop's turns, a read leaves nothing behind, and who asks with it or
    after it is answered."""
    turns = 0
    while not await _left_after(turns, state):
        turns += 1
    assert turns > 2


async def _left_after(turns: int, state: str) -> bool:
    """Whether the call had ended by itself by then."""
    rig = Rig(SlowStore())
    if state != "nothing kept":
        await rig.answered()
    await asyncio.sleep({"stale": 70, "failing": 200}.get(state, 0))
    leaving, staying = (asyncio.create_task(rig.read()) for _ in range(2))
    platform = asyncio.create_task(_end_each(rig.platform, leaving, staying, fails=state == "failing"))
    for _ in range(turns):
        await asyncio.sleep(0)
    ended = leaving.done()
    leaving.cancel()
    await asyncio.wait([leaving, staying, platform])
    assert leaving.cancelled() != ended
    assert staying.result().body["error"] == 0
    await all_is_done()
    for attempt in rig.platform.waiting:  # a refresh in the background
        attempt.answer()
    await all_is_done()
    rig.assert_idle()
    assert (await rig.answered(NO_CACHE)).body["error"] == 0
    return ended


async def _end_each(platform: Platform, *callers: "asyncio.Task[Told]", fails: bool) -> None:
    """Answer or break off whatever comes, as long as somebody waits."""
    while not all(caller.done() for caller in callers):
        for attempt in platform.waiting:
            if fails:
                attempt.break_off()
            else:
                attempt.answer()
        await asyncio.sleep(0)
