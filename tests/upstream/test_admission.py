"""gateway.upstream.admission: at most so many at once, a bounded queue, first come first served."""

import asyncio

import pytest

from gateway import errors
from gateway.upstream.admission import Admission

pytestmark = pytest.mark.anyio


class Guest:
    """A call that holds its place until it is told to go."""

    def __init__(self, admission: Admission, order: list[str], name: str) -> None:
        self.leave = asyncio.Event()
        self._order, self._name = order, name
        self.task = asyncio.create_task(self._visit(admission))

    async def _visit(self, admission: Admission) -> None:
        async with admission:
            self._order.append(self._name)
            await self.leave.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_places_are_given_in_the_order_of_arrival() -> None:
    admission, order = Admission(running=1, queued=5, patience=30), list[str]()
    guests = [Guest(admission, order, name) for name in "abc"]
    await settle()
    assert (admission.running, admission.queued) == (1, 2)
    for guest in guests:
        guest.leave.set()
        await guest.task
    assert order == ["a", "b", "c"]
    assert (admission.running, admission.queued) == (0, 0)


async def test_over_a_full_queue_it_is_refused_at_once_with_retry_after() -> None:
    admission, order = Admission(running=1, queued=1, patience=30), list[str]()
    guests = [Guest(admission, order, name) for name in "ab"]
    await settle()
    with pytest.raises(errors.CallError) as refused:
        async with admission:
            pass
    assert refused.value.kind is errors.OVERLOADED
    assert refused.value.headers == {"Retry-After": "1"}
    assert (admission.running, admission.queued) == (1, 1)
    for guest in guests:
        guest.leave.set()
        await guest.task


async def test_a_wait_that_is_too_long_is_refused_and_leaves_no_trace() -> None:
    admission, order = Admission(running=1, queued=1, patience=0.01), list[str]()
    guest = Guest(admission, order, "a")
    await settle()
    with pytest.raises(errors.CallError):
        async with admission:
            pass
    assert (admission.running, admission.queued) == (1, 0)
    guest.leave.set()
    await guest.task
    async with admission:
        assert admission.running == 1


async def test_a_wait_lasts_no_longer_than_the_call() -> None:
    admission, order = Admission(running=1, queued=1, patience=30), list[str]()
    guest = Guest(admission, order, "a")
    await settle()
    with pytest.raises(errors.CallError) as refused:
        await admission.enter(asyncio.get_running_loop().time() + 0.01)
    assert refused.value.kind is errors.UPSTREAM_TIMEOUT
    assert (admission.running, admission.queued) == (1, 0)
    guest.leave.set()
    await guest.task


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancelled_wait_gives_its_place_back_whenever_it_is_cancelled(turns: int) -> None:
    admission, order = Admission(running=1, queued=5, patience=30), list[str]()
    first, second = Guest(admission, order, "a"), Guest(admission, order, "b")
    await settle()
    first.leave.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    second.task.cancel()
    await asyncio.gather(first.task, second.task, return_exceptions=True)
    assert (admission.running, admission.queued) == (0, 0)
    async with admission:
        assert admission.running == 1
