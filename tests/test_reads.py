"""The driver of reads: what is kept, for how long, and what callers are told of it."""

import asyncio
from typing import Any

import msgspec
import pytest

from gateway import errors
from gateway.errors import CallError
from gateway.policy.freshness import CacheControl, Lifetime
from tests import builders
from tests.reading import NO_CACHE, NO_STORE, NO_WISH, ONLY_IF_CACHED, Rig, at, memory, method
from tests.skipping import BACKEND, all_is_done

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


# The states of a kept reply.


async def test_what_is_said_of_a_reply_in_every_state_of_its_life() -> None:
    rig = Rig(memory())
    miss = await rig.asking()
    await at(5)  # the platform takes its time, and the reply ages meanwhile
    rig.platform.only.answer(version=1)
    assert (await miss).headers == ("gateway; fwd=miss; stored", None)
    said = {5.0: "hit; ttl=55", 12.5: "hit; ttl=47", 59.0: "hit; ttl=1", 59.75: "hit; ttl=0"}
    for age, status in said.items():
        await at(age)
        hit = await rig.read()
        assert (hit.headers, hit.body["version"]) == ((f"gateway; {status}", str(int(age))), 1)
    assert len(rig.platform.attempts) == 1

    for age, ttl in {60.0: "0", 60.5: "-1", 89.75: "-30"}.items():
        await at(age)
        stale = await rig.read()
        detail = f"gateway; hit; ttl={ttl}; detail=stale-while-revalidate"
        assert (stale.headers, stale.body["version"]) == ((detail, str(int(age))), 1)

    await at(90.0)
    await all_is_done()
    rig.platform.only.break_off()  # the refresh that the first stale answer began
    await all_is_done()
    forwarded = await rig.answered()
    assert (forwarded.headers, forwarded.body["version"]) == (("gateway; fwd=stale; stored", None), 3)
    rig.assert_idle()


@pytest.mark.parametrize(
    ("control", "ttl", "status"),
    [
        pytest.param(NO_CACHE, 60.0, "gateway; fwd=request; stored", id="no-cache"),
        pytest.param(NO_STORE, 60.0, "gateway; fwd=bypass", id="no-store"),
        pytest.param(NO_WISH, 0.0, "gateway; fwd=bypass", id="no ttl"),
        pytest.param(NO_CACHE, 0.0, "gateway; fwd=bypass", id="no-cache without ttl"),
    ],
)
async def test_what_is_said_when_the_cache_is_passed_by(
    control: CacheControl, ttl: float, status: str
) -> None:
    rig = Rig(memory(), Lifetime(ttl))
    for _ in range(2):
        told = await rig.answered(control)
        assert told.headers == (status, None)
    assert (told.trail.cache, told.trail.origin) == ("bypass" if "bypass" in status else "miss", "upstream")


async def test_many_stale_answers_begin_one_refresh_and_its_reply_is_the_next_hit() -> None:
    rig = Rig(memory())
    await rig.answered()
    await at(70)
    stale = [await rig.read() for _ in range(10)]
    assert {told.trail.origin for told in stale} == {"stale"}
    await all_is_done()
    rig.platform.only.answer(version=2)
    await all_is_done()
    hit = await rig.read()
    assert (hit.body["version"], hit.headers) == (2, ("gateway; hit; ttl=59", "0"))
    assert len(rig.platform.attempts) == 2


async def test_a_refresh_that_fails_leaves_the_stale_reply_and_the_next_call_begins_another() -> None:
    rig = Rig(memory())
    await rig.answered()
    await at(70)
    for _ in range(2):
        assert (await rig.read()).trail.origin == "stale"
        await all_is_done()
        rig.platform.only.break_off()
        await all_is_done()
    rig.assert_idle()


async def test_no_cache_takes_a_new_reply_and_leaves_it_for_others() -> None:
    rig = Rig(memory())
    await rig.answered()
    assert (await rig.answered(NO_CACHE)).body["version"] == 2
    assert (await rig.read()).body["version"] == 2


async def test_no_store_neither_takes_nor_leaves_anything() -> None:
    rig = Rig(memory())
    await rig.answered(NO_STORE)
    await rig.answered()
    assert (await rig.answered(NO_STORE)).body["version"] == 3
    assert (await rig.read()).body["version"] == 2


async def test_only_if_cached_never_has_the_platform_asked() -> None:
    rig = Rig(memory())
    with pytest.raises(CallError) as refused:
        await rig.read(ONLY_IF_CACHED)
    assert refused.value.kind is errors.NOT_CACHED
    await rig.answered()
    assert (await rig.read(ONLY_IF_CACHED)).trail.cache == "hit"
    await at(70)
    stale = await rig.read(ONLY_IF_CACHED)
    assert stale.headers == ("gateway; hit; ttl=-10; detail=stale-while-revalidate", "70")
    await all_is_done()
    assert len(rig.platform.attempts) == 1


# What is kept at all.


async def test_an_error_in_a_reply_is_never_kept_as_success() -> None:
    rig = Rig(memory())
    for _ in range(2):
        task = await rig.asking()
        rig.platform.only.answer(error=500)
        assert (await task).headers == ("gateway; fwd=miss", None)


async def test_an_error_with_a_time_of_its_own_is_kept_for_it_and_never_given_stale() -> None:
    rig = Rig(memory(), method=method(negative_ttl={404: 2.0}))
    task = await rig.asking()
    rig.platform.only.answer(error=404)
    assert (await task).headers == ("gateway; fwd=miss; stored", None)
    hit = await rig.read()
    assert (hit.body["error"], hit.headers) == (404, ("gateway; hit; ttl=1", "0"))
    await at(2)
    with pytest.raises(CallError):
        await rig.failed()


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_reply_under_a_status_that_says_later_is_not_kept(status: int) -> None:
    rig = Rig(memory())
    task = await rig.asking()
    rig.platform.only.answer(status)
    assert (await task).headers == ("gateway; fwd=miss", None)
    assert (await rig.answered()).body["version"] == 2


async def test_a_reply_in_no_format_of_ours_is_not_kept() -> None:
    rig = Rig(memory())
    request = msgspec.structs.replace(rig.request(format="csv"), untouched=True)
    for _ in range(2):
        trail = builders.trail()
        task = asyncio.create_task(rig.reads.answer(rig.account, request, 1000.0, trail))
        await all_is_done()
        rig.platform.only.answer_with(b"id;name\n1;Jim\n", 200, {"content-type": "text/csv"})
        assert (await task).body == b"id;name\n1;Jim\n"
        assert trail.cache_status == b"gateway; fwd=miss"


# Stale instead of an error.


async def test_a_stale_reply_stands_in_for_a_failure_and_is_never_older_than_promised() -> None:
    rig = Rig(memory(), Lifetime(60.0, stale_if_error=300.0))
    await rig.answered()
    for age, ttl in {60.0: "0", 200.5: "-141", 359.75: "-300"}.items():
        await at(age)
        # The attempt itself takes no time that shows: a moment to arrive, and then it fails.
        told = await rig.failed()
        assert (told.headers, told.body["version"]) == (
            (f"gateway; hit; ttl={_later(ttl, age)}; detail=stale-if-error", str(int(age))),
            1,
        )
        assert (told.trail.cache, told.trail.origin, told.trail.attempts) == ("stale", "stale", 1)
    await at(360.0)
    with pytest.raises(CallError) as failed:
        await rig.failed()
    assert (failed.value.kind, failed.value.text) == (
        errors.UPSTREAM_RESET,
        "the platform closed the connection",
    )


def _later(ttl: str, age: float) -> str:
    """A ttl is rounded down: a moment after a whole second it is one less."""
    return str(int(ttl) - 1) if age == int(age) else ttl


async def test_how_old_it_is_counts_when_the_failure_is_there_not_when_it_was_asked() -> None:
    rig = Rig(memory(), Lifetime(60.0, stale_if_error=300.0))
    await rig.answered()
    await at(359)
    with pytest.raises(CallError):
        await rig.failed(after=1.0)


async def test_a_write_during_the_failed_attempt_takes_the_stale_reply_away() -> None:
    rig = Rig(memory(), Lifetime(60.0, stale_if_error=300.0))
    await rig.answered()
    await at(100)
    task = await rig.asking()
    await rig.write()
    rig.platform.only.break_off()
    with pytest.raises(CallError):
        await task


async def test_a_caller_whose_own_time_is_over_gets_the_stale_reply_as_well() -> None:
    rig = Rig(memory(), Lifetime(60.0, stale_if_error=300.0))
    await rig.answered()
    await at(100)
    told = await rig.read(patience=10.0)
    assert told.headers == ("gateway; hit; ttl=-50; detail=stale-if-error", "110")


async def test_a_caller_that_wants_a_new_answer_is_told_of_the_failure() -> None:
    rig = Rig(memory())
    await rig.answered()
    with pytest.raises(CallError):
        await rig.failed(control=NO_CACHE)
    assert (await rig.read()).trail.cache == "hit"
