"""gateway.room: memory for the bodies of all calls together."""

import asyncio
from typing import Any

import pytest

from gateway import errors
from gateway.room import Room
from tests.skipping import BACKEND, all_is_done

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


class Body:
    """One that is held until the test lets it go."""

    def __init__(self, room: Room, size: int) -> None:
        self.is_in = False
        self._done = asyncio.Event()
        self.task = asyncio.create_task(self._hold(room, size))

    async def _hold(self, room: Room, size: int) -> None:
        async with room.holding(size):
            self.is_in = True
            await self._done.wait()

    async def leave(self) -> None:
        self._done.set()
        await self.task


async def bodies(room: Room, *sizes: int) -> list[Body]:
    made = [Body(room, size) for size in sizes]
    await all_is_done()
    return made


async def leave(*those: Body) -> None:
    for body in those:
        await body.leave()


async def test_what_fits_is_let_in_and_the_next_one_waits_until_there_is_room() -> None:
    room = Room(100, patience=1000)
    first, second, third = await bodies(room, 60, 40, 1)
    assert (first.is_in, second.is_in, third.is_in, room.taken) == (True, True, False, 100)
    await leave(second)
    await all_is_done()
    assert third.is_in
    await leave(first, third)
    assert room.taken == 0


async def test_nobody_overtakes() -> None:
    room = Room(100, patience=1000)
    first, large, small = await bodies(room, 60, 50, 1)
    assert (large.is_in, small.is_in) == (False, False)
    await leave(first)
    await all_is_done()
    assert (large.is_in, small.is_in) == (True, True)
    await leave(large, small)


async def test_one_body_is_let_in_however_large() -> None:
    room = Room(100, patience=1000)
    large, other = await bodies(room, 1000, 1)
    assert (large.is_in, other.is_in) == (True, False)
    await leave(large, other)


async def test_who_waits_too_long_is_told_to_come_again_and_leaves_no_trace() -> None:
    room = Room(100, patience=5)
    first, late = await bodies(room, 100, 100)
    with pytest.raises(errors.CallError) as refused:
        await late.task
    assert refused.value.kind is errors.OVERLOADED
    assert refused.value.headers == {"Retry-After": "1"}
    (next_one,) = await bodies(room, 100)
    await leave(first, next_one)
    assert room.taken == 0


async def test_a_caller_that_leaves_while_it_waits_is_in_nobodys_way() -> None:
    room = Room(100, patience=1000)
    first, gone, last = await bodies(room, 60, 100, 40)
    gone.task.cancel()
    await all_is_done()
    assert last.is_in
    await leave(first, last)
    assert room.taken == 0


async def test_room_that_was_given_to_who_left_at_that_moment_goes_to_the_next() -> None:
    room = Room(100, patience=1000)
    first, gone, last = await bodies(room, 100, 100, 100)
    first._done.set()
    await asyncio.sleep(0)
    gone.task.cancel()
    await all_is_done()
    assert last.is_in
    await leave(first, last)
    assert room.taken == 0
