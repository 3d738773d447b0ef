"""gateway.alarm: rings when the seconds that were set last are over, and not before."""

import asyncio

import pytest

from gateway.alarm import Alarm

pytestmark = pytest.mark.anyio


def ringing() -> tuple[Alarm, "asyncio.Future[float]"]:
    loop = asyncio.get_running_loop()
    rung: asyncio.Future[float] = loop.create_future()
    return Alarm(loop, lambda: rung.set_result(loop.time())), rung


async def test_it_rings_when_its_time_is_over() -> None:
    alarm, rung = ringing()
    began = asyncio.get_running_loop().time()
    alarm.set(0.02)
    assert await rung >= began + 0.018


async def test_moved_away_it_rings_later() -> None:
    alarm, rung = ringing()
    began = asyncio.get_running_loop().time()
    alarm.set(0.01)
    alarm.set(0.05)
    assert await rung >= began + 0.048


async def test_moved_nearer_it_rings_earlier() -> None:
    alarm, rung = ringing()
    alarm.set(3600)
    alarm.set(0.01)
    await asyncio.wait_for(rung, 10)


@pytest.mark.parametrize("how", ["stopped", "never"])
async def test_put_off_for_ever_it_does_not_ring(how: str) -> None:
    alarm, rung = ringing()
    later, rings_later = ringing()
    alarm.set(0.01)
    if how == "stopped":
        alarm.stop()
    else:
        alarm.put_off()
    later.set(0.03)
    await rings_later
    assert not rung.done()
