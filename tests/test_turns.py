"""gateway.turns: one at a time, in the order in which they came, and nobody waits for one who has gone."""

import asyncio

import pytest

from gateway.turns import Turns

pytestmark = pytest.mark.anyio


async def test_one_at_a_time_in_the_order_in_which_they_came() -> None:
    turns: Turns[bytes] = Turns()
    order: list[int] = []

    async def work(number: int) -> None:
        if not turns.take(b"x"):
            await turns.wait(b"x")
        try:
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)
        finally:
            turns.leave(b"x")

    await asyncio.gather(*(work(number) for number in range(4)))
    assert order == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(turns) == 0


async def test_things_do_not_wait_for_one_another() -> None:
    turns: Turns[bytes] = Turns()
    assert turns.take(b"x")
    assert turns.take(b"y")
    assert not turns.take(b"x")
    assert len(turns) == 2


@pytest.mark.parametrize("was_given_it", [False, True], ids=["while it waits", "as its turn comes"])
async def test_who_is_cancelled_is_passed_over(was_given_it: bool) -> None:
    turns: Turns[bytes] = Turns()
    turns.take(b"x")
    gone = asyncio.ensure_future(turns.wait(b"x"))
    next_one = asyncio.ensure_future(turns.wait(b"x"))
    await asyncio.sleep(0)
    if was_given_it:
        turns.leave(b"x")
        gone.cancel()
    else:
        gone.cancel()
        await asyncio.sleep(0)
        turns.leave(b"x")
    await next_one
    turns.leave(b"x")
    assert gone.cancelled()
    assert len(turns) == 0


async def test_who_asks_to_wait_for_what_is_free_has_it() -> None:
    turns: Turns[bytes] = Turns()
    await turns.wait(b"x")
    assert not turns.take(b"x")
