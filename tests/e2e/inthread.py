"""A whole gateway in a thread of its own, on a real socket: quick to start, and its loop can be asked what is
still going on in it."""

import asyncio
import io
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
import uvloop

from gateway import server
from gateway.app import Gateway, World
from gateway.catalogue.model import Catalogue
from gateway.settings.model import Settings
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.clock import Clock
from tests.e2e.scraping import scrape_used


@dataclass(frozen=True)
class RunningGateway:
    """A gateway that answers. `standing` are the tasks that it has while nobody calls."""

    caller: Caller
    loop: asyncio.AbstractEventLoop
    standing: frozenset[asyncio.Task[Any]]

    def assert_idle(self) -> None:
        """Nothing is left of the calls: no task, no place taken in the pool, nothing counted as running."""
        left = asyncio.run_coroutine_threadsafe(self._tasks_left(), self.loop).result(2 * PATIENCE)
        assert not left, f"tasks still running: {left}"
        page = scrape_used(self.caller)
        assert page.value("gateway_requests_in_progress") == 0
        assert page.value("gateway_requests_queued") == 0
        assert page.value("gateway_flights_in_progress") == 0
        busy = [
            (name, labels)
            for (name, labels), value in page.items()
            if name == "gateway_upstream_connections" and ("state", "active") in labels and value
        ]
        assert not busy

    async def _tasks_left(self) -> list[str]:
        """The names of the tasks that do not end by themselves; they get a moment to do so."""
        here = asyncio.current_task()
        try:
            async with asyncio.timeout(PATIENCE / 2):
                while left := asyncio.all_tasks() - self.standing - {here}:
                    await asyncio.wait(left)
        except TimeoutError:
            return [task.get_name() for task in left]
        return []


@contextmanager
def running_gateway(
    settings: Mapping[str, Any],
    environ: Mapping[str, str],
    catalogue: Catalogue,
    clock: Clock | None = None,
) -> Iterator[RunningGateway]:
    """The gateway as `serve` runs it, but for the signals, which only a process has. `settings` are the
    content of a config.yaml. Without a `clock` it goes by real time.
    """
    world = World(environ, io.BytesIO())
    if clock is not None:
        world = replace(world, clock=clock, wall_clock=clock.wall)
    stopping: Future[None] = Future()
    started: Future[RunningGateway] = Future()

    async def hold() -> None:
        gateway = Gateway(Settings.model_validate(settings), catalogue, world)
        with server.bind(gateway.settings.listen) as listener:
            await gateway.start()
            serving = uvicorn.Server(server.uvicorn_config(gateway, patience=1))
            listening = asyncio.create_task(serving.serve(sockets=[listener]), name="listener")
            caller = Caller(server.address(listener))
            await asyncio.to_thread(_await_life, caller)
            standing = frozenset(asyncio.all_tasks())
            started.set_result(RunningGateway(caller, asyncio.get_running_loop(), standing))
            await asyncio.wrap_future(stopping)
            serving.should_exit = True
            await listening
            await gateway.stop(patience=1)

    with ThreadPoolExecutor(1, "gateway") as executor:
        held = executor.submit(_run, hold)
        awaited: list[Future[Any]] = [started, held]
        wait(awaited, return_when=FIRST_COMPLETED)
        if held.done():
            held.result()
        try:
            yield started.result()
        finally:
            stopping.set_result(None)
            held.result()


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


def _await_life(caller: Caller) -> None:
    assert caller.get("/livez").status == 200
