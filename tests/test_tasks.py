"""gateway.tasks: background tasks have an owner."""

import asyncio
import logging

import pytest

from gateway.tasks import TaskOwner, Users

pytestmark = pytest.mark.anyio


async def test_a_task_is_known_until_it_ends() -> None:
    owner, go = TaskOwner(), asyncio.Event()
    task = owner.start(go.wait(), "waiting")
    assert len(owner) == 1
    go.set()
    assert await task is True
    await asyncio.sleep(0)
    assert len(owner) == 0


async def test_a_failure_that_nobody_awaits_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    owner = TaskOwner()
    with caplog.at_level(logging.ERROR):
        owner.start(fail(), "the failing one")
        assert await owner.finish(5) == 0
        await asyncio.sleep(0)
    assert "the failing one" in caplog.text
    assert "ValueError" in caplog.text


async def test_finish_tells_how_many_are_late_and_leaves_them_running() -> None:
    owner, go = TaskOwner(), asyncio.Event()
    task = owner.start(go.wait(), "late")
    assert await owner.finish(0) == 1
    assert not task.done()
    go.set()
    assert await owner.finish(5) == 0


async def test_cancel_ends_all() -> None:
    owner = TaskOwner()
    tasks = [owner.start(asyncio.Event().wait(), "endless") for _ in range(3)]
    await owner.cancel()
    assert all(task.cancelled() for task in tasks)


async def test_finish_without_a_timeout_waits_for_what_runs_now_and_not_for_what_comes_later() -> None:
    owner, go = TaskOwner(), asyncio.Event()
    owner.start(go.wait(), "early")
    finishing = asyncio.create_task(owner.finish(None))
    await asyncio.sleep(0)
    late = owner.start(asyncio.Event().wait(), "late")
    go.set()
    assert await finishing == 1
    late.cancel()


async def test_users_are_gone_when_the_last_one_has_left() -> None:
    users = Users()
    await users.gone()
    with users:
        with users:
            gone = asyncio.create_task(users.gone())
        await asyncio.sleep(0)
        assert not gone.done()
    await gone


async def test_a_user_that_comes_back_before_anybody_looked_is_waited_for() -> None:
    users = Users()
    with users:
        gone = asyncio.create_task(users.gone())
        await asyncio.sleep(0)
    with users:
        await asyncio.sleep(0)
        assert not gone.done()
    await gone
