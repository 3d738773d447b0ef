"""The lag that is shown is the worst within the window."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.observe.looplag import LoopLag

pytestmark = pytest.mark.anyio


class Clock:
    """Gives the times it is told, one at each look."""

    def __init__(self, *times: float) -> None:
        self.times: Iterator[float] = iter(times)

    def __call__(self) -> float:
        return next(self.times)


async def test_without_a_sample_there_is_no_lag() -> None:
    assert LoopLag(Clock(0.0)).worst() == 0.0


async def test_lag_is_how_late_the_loop_woke_up() -> None:
    lag = LoopLag(Clock(0.0, 0.25, 0.25), interval=0.0)

    await lag.sample()

    assert lag.worst() == 0.25


async def test_waking_up_early_is_no_lag() -> None:
    lag = LoopLag(Clock(1.0, 0.5, 0.5), interval=0.0)

    await lag.sample()

    assert lag.worst() == 0.0


async def test_the_worst_of_the_window_is_shown_and_then_forgotten() -> None:
    lag = LoopLag(Clock(0.0, 0.5, 10.0, 10.25, 60.5, 60.75), interval=0.0, window=60.0)
    await lag.sample()
    await lag.sample()

    assert (lag.worst(), lag.worst()) == (0.5, 0.25)


async def test_the_task_measures_until_it_is_closed() -> None:
    measured = asyncio.Event()
    times = iter(range(1_000_000))

    def clock() -> float:
        now = next(times)
        if now >= 10:
            measured.set()
        return float(now)

    lag = LoopLag(clock, interval=0.0)
    lag.start()
    await asyncio.wait_for(measured.wait(), 10)
    await lag.aclose()

    assert lag.worst() == 1.0
    assert "event loop lag" not in {task.get_name() for task in asyncio.all_tasks()}
