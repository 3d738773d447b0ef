"""The thread beside the loop."""

import asyncio
import threading
from functools import partial

import pytest

from gateway.worker import Worker

pytestmark = pytest.mark.anyio


async def test_jobs_run_in_order_in_one_other_thread_and_end_in_the_loop() -> None:
    worker, ends = Worker("w"), asyncio.Queue[tuple[int | Exception, int]]()
    seen: list[tuple[int, int]] = []

    def job(number: int) -> int:
        seen.append((number, threading.get_ident()))
        return number

    for number in range(5):
        worker.do(partial(job, number), lambda end: ends.put_nowait((end, threading.get_ident())))
    told = [await ends.get() for _ in range(5)]
    worker.stop()

    assert [end for end, _ in told] == [number for number, _ in seen] == [0, 1, 2, 3, 4]
    assert {thread for _, thread in told} == {threading.get_ident()}
    assert len({thread for _, thread in seen} - {threading.get_ident()}) == 1


async def test_what_a_job_raises_is_told_and_the_next_one_runs() -> None:
    worker, ends = Worker("w"), asyncio.Queue[float | Exception]()
    worker.do(lambda: 1 / 0, ends.put_nowait)
    worker.do(lambda: 1 / 2, ends.put_nowait)

    assert isinstance(await ends.get(), ZeroDivisionError)
    assert await ends.get() == 0.5
    worker.stop()


def test_a_job_that_ends_after_the_loop_is_closed_harms_nobody() -> None:
    goes_on, threads = threading.Event(), list[threading.Thread]()

    async def leave_behind() -> None:
        worker = Worker("left behind")
        worker.do(lambda: goes_on.wait(20), print)
        worker.stop()
        threads.extend(thread for thread in threading.enumerate() if thread.name == "left behind")

    asyncio.run(leave_behind())
    goes_on.set()
    [thread] = threads
    thread.join(20)

    assert not thread.is_alive()
