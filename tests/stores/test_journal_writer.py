"""When the journal is written, and what becomes of one that cannot be."""

import asyncio
import logging
import resource
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from gateway import occurrence
from gateway.stores.journal_file import Changes, Flights, JournalFile
from gateway.stores.journal_writer import JournalWriter
from gateway.upstream.packing import ReplyPacker
from tests.stores.flight_backends import answered, file_at, out, reply, unknown

pytestmark = pytest.mark.anyio

LATER = 3600.0  # seconds: not within a test


@asynccontextmanager
async def writing(
    file: JournalFile, memory: Changes | None = None, *, retry: float = 0.0, patience: float = 20.0
) -> AsyncIterator[tuple[JournalWriter, list[str]]]:
    """`memory` is what the file is made equal to, each time it is opened."""
    failures: list[str] = []
    writer = JournalWriter(file, failures.append, lag=LATER, retry=retry, patience=patience)

    def differences(kept: Flights) -> Changes:
        return {} if memory is None else dict(memory)

    await writer.start(differences)
    try:
        yield writer, failures
    finally:
        await writer.aclose()


def on_disk(path: Path) -> Flights:
    file = file_at(path)
    try:
        return file.open().flights
    finally:
        file.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def damaged(path: Path) -> Path:
    path.write_bytes(b"this is no database\n\0" * 500)
    return path


@pytest.fixture
def crashed(path: Path, tmp_path: Path) -> Callable[[], Flights]:
    """What a restart would find if the process were killed now."""

    def image() -> Flights:
        copy = tmp_path / "image"
        for suffix in ("", "-wal"):
            copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
        return on_disk(copy)

    return image


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """Files of this process may not grow beyond `free` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_flight_that_goes_out_is_on_disk_when_commit_returns(
    path: Path, crashed: Callable[[], Flights]
) -> None:
    async with writing(file_at(path)) as (writer, _):
        await writer.commit(b"f1", out())

        assert crashed() == {b"f1": out()}


async def test_what_may_follow_later_goes_along_with_the_next_that_goes_out(
    path: Path, crashed: Callable[[], Flights]
) -> None:
    async with writing(file_at(path)) as (writer, _):
        await writer.commit(b"f1", out())
        await writer.commit(b"f2", out("id-2"))
        writer.note(b"f1", answered(out()))
        writer.note(b"f2", None)
        assert crashed() == {b"f1": out(), b"f2": out("id-2")}

        await writer.commit(b"f3", out("id-3"))
        assert crashed() == {b"f1": answered(out()), b"f3": out("id-3")}


async def test_what_nothing_goes_along_with_is_written_by_itself(path: Path) -> None:
    written = asyncio.Event()

    loop = asyncio.get_running_loop()

    def scrub(data: bytes) -> bytes:
        loop.call_soon_threadsafe(written.set)
        return data

    failures: list[str] = []
    writer = JournalWriter(file_at(path, scrub), failures.append, lag=0.0)
    await writer.start(lambda kept: {})
    writer.note(b"f1", answered(out()))
    await asyncio.wait_for(written.wait(), 20)
    await writer.aclose()

    assert on_disk(path) == {b"f1": answered(out())}


async def test_what_is_left_is_written_at_the_end(path: Path) -> None:
    async with writing(file_at(path)) as (writer, _):
        writer.note(b"f1", answered(out()))

    assert on_disk(path) == {b"f1": answered(out())}


async def test_only_the_latest_state_is_written(path: Path) -> None:
    packed: list[bytes] = []

    def scrub(data: bytes) -> bytes:
        packed.append(data)
        return data

    async with writing(file_at(path, scrub)) as (writer, _):
        await writer.commit(b"f1", out())
        writer.note(b"f1", answered(out(), reply(b"a body that nobody has to write")))
        writer.note(b"f1", None)
        await writer.commit(b"f2", out())

    assert packed == []
    assert on_disk(path) == {b"f2": out()}


async def test_flights_that_go_out_together_are_committed_together(path: Path) -> None:
    batches: list[int] = []

    class Counted(JournalFile):
        def write(self, changes: Changes) -> None:
            batches.append(len(changes))
            super().write(changes)

    file = Counted(path, ReplyPacker(bytes), str)
    async with writing(file) as (writer, _):
        await asyncio.gather(*(writer.commit(b"f%d" % n, out(f"id-{n}")) for n in range(32)))

    assert [size for size in batches if size] == [1, 31]
    assert len(on_disk(path)) == 32


async def test_a_caller_that_leaves_does_not_hold_up_the_others(path: Path) -> None:
    async with writing(file_at(path)) as (writer, _):
        tasks = [asyncio.ensure_future(writer.commit(b"f%d" % n, out(f"id-{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(end) for end in ends] == [asyncio.CancelledError, type(None), type(None)]
    assert len(on_disk(path)) == 3


async def test_on_a_full_disk_calls_go_on_and_it_is_said_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(file_at(path), retry=LATER) as (writer, failures):
        with full_disk(8192):
            for n in range(3):
                await writer.commit(b"f%d" % n, out("x" * 9000))

        assert failures == ["write"]
        assert len(caplog.messages) == 1
        assert caplog.messages[0].startswith(f"dedup.journal: {path} cannot be used (")
        assert caplog.messages[0].endswith("; calls go on without it, and a crash would forget them")


async def test_when_there_is_room_again_the_file_is_made_equal_to_memory(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = {b"known": unknown(out()), b"over": None}  # this gives what a memory would have by then
    async with writing(file_at(path), memory) as (writer, failures):
        await writer.commit(b"over", out())
        with full_disk(8192):
            await writer.commit(b"f1", out("x" * 9000))
            await writer.commit(b"f2", out("x" * 9000))
        await writer.commit(b"f3", out())

        assert "write" in failures
        assert caplog.messages[1:] == [f"dedup.journal: {path} is written again"]
        assert [dict(occurrence.of(record)) for record in caplog.records] == [
            {"event": name, "store": "journal"} for name in ("store_failed", "store_recovered")
        ]
    assert set(on_disk(path)) == {b"known"}


async def test_a_place_that_takes_no_file_costs_the_journal_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with writing(file_at(tmp_path / "missing" / "journal"), retry=LATER) as (writer, failures):
        await writer.commit(b"f1", out())
        writer.note(b"f1", None)

        assert failures == ["open"]
        assert len(caplog.messages) == 1
    assert failures == ["open", "open"]  # once more at the end
    assert len(caplog.messages) == 1


async def test_a_damaged_file_is_said_once_and_the_new_one_is_used(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = damaged
    async with writing(file_at(path)) as (writer, failures):
        await writer.commit(b"f1", out())

        assert failures == ["open"]
        assert [(record.levelno, "is damaged" in record.message) for record in caplog.records] == [
            (logging.ERROR, True)
        ]
    assert on_disk(path) == {b"f1": out()}


async def test_a_disk_that_hangs_is_waited_for_no_longer_than_patience(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recovers = threading.Event()

    def scrub(data: bytes) -> bytes:
        assert recovers.wait(20)
        return data

    memory = {b"known": unknown(out())}
    async with writing(file_at(path, scrub), memory, patience=0.05) as (writer, failures):
        writer.note(b"f1", answered(out()))
        await writer.commit(b"f2", out())
        await writer.commit(b"f3", out())  # not waited for at all
        assert failures == ["write"]
        assert "does not answer" in caplog.messages[0]
        recovers.set()


async def test_a_writer_that_was_never_started_can_be_closed(path: Path) -> None:
    failures: list[str] = []
    await JournalWriter(file_at(path), failures.append).aclose()

    assert on_disk(path) == {}
