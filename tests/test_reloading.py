"""gateway.reloading: when a configuration is read again, one reload at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import occurrence
from gateway.errors import UNPLACED, Problem, SettingsError
from gateway.reloading import ConfigFile, Reloader
from gateway.settings.loading import Configuration

pytestmark = pytest.mark.anyio

INTERVAL = 0.01  # seconds between two looks, here


class Applied:
    """What takes configurations, and whom it is told of."""

    def __init__(self) -> None:
        self.levels: list[str] = []
        self.ends: list[bool] = []
        self.running = 0
        self.problem: Problem | None = None
        self.news = asyncio.Event()

    async def apply(self, new: Configuration) -> bool:
        self.running += 1
        await asyncio.sleep(0)
        assert self.running == 1, "two at once"
        self.running -= 1
        if self.problem is not None:
            raise SettingsError((self.problem,))
        level = new.settings.log.level.value
        changed = self.levels[-1:] != [level]
        self.levels.append(level)
        return changed

    def ended(self, successful: bool) -> None:
        self.ends.append(successful)
        self.news.set()

    async def hears(self, count: int) -> None:
        """Wait until that many reloads have ended."""
        async with asyncio.timeout(20):
            while len(self.ends) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("log: {level: info}\n")
    return file


def reloader(path: Path, applied: Applied) -> Reloader:
    return Reloader(ConfigFile.at(path, {}), applied.apply, applied.ended, INTERVAL)


def put(path: Path, content: str | None) -> None:
    """The file has this content from now on; None: it is gone."""
    if content is None:
        path.unlink()
    else:
        path.write_text(content)


def looked_at(path: Path, looks: asyncio.Semaphore) -> ConfigFile:
    """The file; every look at it is one more of `looks`."""
    loop = asyncio.get_running_loop()

    class Counted(ConfigFile):
        def version(self) -> Hashable:
            loop.call_soon_threadsafe(looks.release)
            return ConfigFile.version(self)

    return Counted.at(path, {})


async def several(looks: asyncio.Semaphore) -> None:
    """Wait for so many looks that a change would have been taken."""
    while not looks.locked():
        await looks.acquire()
    async with asyncio.timeout(20):
        for _ in range(4):
            await looks.acquire()


@asynccontextmanager
async def watched(path: Path, applied: Applied) -> AsyncIterator[Reloader]:
    watching = reloader(path, applied)
    watching.start()
    try:
        yield watching
    finally:
        await watching.aclose()


async def test_a_reload_says_whether_anything_changed(path: Path) -> None:
    applied = Applied()
    reloading = reloader(path, applied)
    assert [await reloading.reload(), await reloading.reload()] == [True, False]
    assert applied.ends == [True, True]


async def test_reloads_at_once_come_one_after_the_other(path: Path) -> None:
    applied = Applied()
    reloading = reloader(path, applied)
    await asyncio.gather(*(reloading.reload() for _ in range(5)))
    assert applied.ends == [True] * 5


@pytest.mark.parametrize("content", ["log: {level: loud}\n", "nonsense", None], ids=["value", "form", "gone"])
async def test_what_cannot_be_read_is_not_applied_and_every_problem_is_logged(
    path: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    applied = Applied()
    reloading = reloader(path, applied)
    put(path, content)
    with pytest.raises(SettingsError) as refused:
        await reloading.reload()
    assert (applied.levels, applied.ends) == ([], [False])
    assert all(str(problem) in caplog.text for problem in refused.value.problems)
    assert [dict(occurrence.of(record)) for record in caplog.records] == [
        {"event": "reload_refused", "place": problem.place, "key": problem.key}
        for problem in refused.value.problems
    ]


async def test_a_reload_is_an_event(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await reloader(path, Applied()).reload()
    assert [dict(occurrence.of(record)) for record in caplog.records] == [
        {"event": "reloaded", "changed": True}
    ]


async def test_a_problem_found_while_applying_gets_the_line_of_its_key(path: Path) -> None:
    applied = Applied()
    put(path, "log: {level: info}\ntoken:\n  env: GONE\n")
    applied.problem = Problem(UNPLACED, "token", "is not there")
    with pytest.raises(SettingsError) as refused:
        await reloader(path, applied).reload()
    assert [str(problem) for problem in refused.value.problems] == [f"{path}:2 token: is not there"]


async def test_a_request_reloads_in_the_background(path: Path) -> None:
    applied = Applied()
    async with watched(path, applied) as reloading:
        reloading.request()
        await applied.hears(1)
    assert applied.levels == ["info"]


async def test_the_file_is_read_again_when_its_content_changed(path: Path) -> None:
    applied = Applied()
    async with watched(path, applied):
        put(path, "log: {level: debug}\n")
        await applied.hears(1)
    assert applied.levels == ["debug"]


async def test_a_change_between_the_first_reading_and_the_watching_is_seen(path: Path) -> None:
    applied = Applied()
    file = ConfigFile.at(path, {})
    put(path, "log: {level: debug}\n")
    reloading = Reloader(file, applied.apply, applied.ended, INTERVAL)
    reloading.start()
    await applied.hears(1)
    await reloading.aclose()
    assert applied.levels == ["debug"]


async def test_a_bad_file_is_tried_once_and_the_next_good_one_is_taken(path: Path) -> None:
    applied = Applied()
    looks = asyncio.Semaphore(0)
    reloading = Reloader(looked_at(path, looks), applied.apply, applied.ended, INTERVAL)
    reloading.start()
    put(path, "log: {level: loud}\n")
    await applied.hears(1)
    put(path, "log: {level: loud}\n")  # another time, the same content
    await several(looks)
    assert applied.ends == [False]
    put(path, "log: {level: debug}\n")
    await applied.hears(2)
    await reloading.aclose()
    assert applied.ends == [False, True]


async def test_a_file_that_goes_on_changing_is_left_alone_until_it_stands_still(path: Path) -> None:
    applied = Applied()
    looks = 0

    class Restless(ConfigFile):
        def version(self) -> int:
            nonlocal looks
            looks += 1
            path.write_text(f"log: {{level: {'debug' if looks < 8 else 'error'}}}\n")
            return min(looks, 8)

    restless = Restless(path, {}, b"")
    reloading = Reloader(restless, applied.apply, applied.ended, INTERVAL)
    reloading.start()
    await applied.hears(1)
    await reloading.aclose()
    assert applied.levels == ["error"]


async def test_a_file_that_is_gone_is_told_once_and_taken_when_it_is_back(path: Path) -> None:
    applied = Applied()
    looks = asyncio.Semaphore(0)
    reloading = Reloader(looked_at(path, looks), applied.apply, applied.ended, INTERVAL)
    put(path, None)
    reloading.start()
    await applied.hears(1)
    await several(looks)
    assert applied.ends == [False]
    put(path, "log: {level: debug}\n")
    await applied.hears(2)
    await reloading.aclose()
    assert (applied.ends, applied.levels) == ([False, True], ["debug"])


async def test_one_reload_that_breaks_does_not_end_the_watching(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    applied = Applied()
    broken = True

    async def apply(new: Configuration) -> bool:
        if broken:
            raise ZeroDivisionError
        return await applied.apply(new)

    reloading = Reloader(ConfigFile.at(path, {}), apply, applied.ended, INTERVAL)
    reloading.start()
    reloading.request()
    await applied.hears(1)
    broken = False
    reloading.request()
    await applied.hears(2)
    await reloading.aclose()
    assert applied.ends == [False, True]
    assert "ZeroDivisionError" in caplog.text
