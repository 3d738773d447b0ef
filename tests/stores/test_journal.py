"""Flights across a crash: what a gateway that starts again knows of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.policy.flight import Flight, State
from tests.stores.backends import Clock
from tests.stores.flight_backends import IDENTITY, WINDOWS, answered, journalled, out, put, reply, unknown

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def crash(path: Path, tmp_path: Path) -> Callable[[], Path]:
    """The file as a kill at this moment would leave it, under another name."""

    def image() -> Path:
        copy = tmp_path / "image"
        for suffix in ("", "-wal"):
            copy.with_name(copy.name + suffix).write_bytes(path.with_name(path.name + suffix).read_bytes())
        return copy

    return image


async def after_crash(path: Path, crash: Callable[[], Path], *states: Flight | None) -> Flight | None:
    """What is known of a flight that went through `states` before the crash. The next flight that went out
    had them written."""
    async with journalled(path) as before:
        await put(before.journal, *states)
        await put(before.journal, out("the next"), identity=b"f2")
        image = crash()
    async with journalled(image) as after:
        assert after.failures == []
        return await after.journal.load(IDENTITY)


async def test_a_flight_that_was_out_is_unknown_and_owed_to_all(
    path: Path, crash: Callable[[], Path]
) -> None:
    found = await after_crash(path, crash, out())

    assert found == replace(
        out(), state=State.UNKNOWN, ended=1000.0, written=True, pending=0, owed=1, owed_to_all=True
    )


async def test_who_joined_makes_no_difference(path: Path, crash: Callable[[], Path]) -> None:
    found = await after_crash(path, crash, out(), replace(out(), pending=200))

    assert found is not None
    assert found.state is State.UNKNOWN
    assert found.owed_to_all


@pytest.mark.parametrize(
    ("pending", "owed"),
    [pytest.param(1, 0, id="not handed out"), pytest.param(0, 1, id="owed")],
)
async def test_an_answer_that_not_all_have_got_is_owed_to_all(
    path: Path, crash: Callable[[], Path], pending: int, owed: int
) -> None:
    ended = answered(out(), pending=pending, owed=owed)

    found = await after_crash(path, crash, out(), ended)

    assert found == replace(ended, pending=0, owed_to_all=True)
    assert found.answer == reply()


async def test_an_answer_that_all_have_got_is_owed_to_nobody(path: Path, crash: Callable[[], Path]) -> None:
    ended = answered(out(keyed=True), pending=0)

    assert await after_crash(path, crash, out(keyed=True), ended) == ended


async def test_what_is_forgotten_stays_forgotten(path: Path, crash: Callable[[], Path]) -> None:
    assert await after_crash(path, crash, out(), answered(out()), None) is None


async def test_what_was_unknown_stays_so_through_two_crashes(path: Path, crash: Callable[[], Path]) -> None:
    async with journalled(path) as before:
        await put(before.journal, out())
        image = crash()
    async with journalled(image) as once:
        first = await once.journal.load(IDENTITY)
    async with journalled(image) as twice:
        assert await twice.journal.load(IDENTITY) == first


@pytest.mark.parametrize(
    ("last", "lives"),
    [
        pytest.param(out(), WINDOWS.unknown, id="it was out"),
        pytest.param(unknown(out()), WINDOWS.unknown, id="unknown"),
        pytest.param(answered(out(keyed=True), pending=0), WINDOWS.key, id="answered, with a key"),
        pytest.param(answered(out()), 1 + WINDOWS.owed, id="answered, owed"),
    ],
)
async def test_what_is_over_by_then_is_forgotten(path: Path, last: Flight, lives: float) -> None:
    async with journalled(path, clock=Clock(1000.0)) as before:
        await put(before.journal, out(keyed=last.keyed))
        if last.state is not State.IN_FLIGHT:
            await put(before.journal, last)

    async with journalled(path, clock=Clock(1000.0 + lives - 0.25)) as in_time:
        assert await in_time.journal.load(IDENTITY) is not None
    async with journalled(path, clock=Clock(1000.0 + lives)) as late:
        assert await late.journal.load(IDENTITY) is None
    async with journalled(path, clock=Clock(1000.0)) as rows:  # they were deleted, not only passed over
        assert await rows.journal.load(IDENTITY) is None


async def test_what_memory_gives_up_for_room_is_deleted(path: Path, crash: Callable[[], Path]) -> None:
    async with journalled(path, max_bytes=1300) as small:
        for n in range(20):
            flight = out(f"id-{n}", keyed=True)
            await put(small.journal, flight, answered(flight, pending=0), identity=b"k%d" % n)
        await put(small.journal, out(), identity=b"the next")
        kept = small.memory.flights()
        image = crash()

    async with journalled(image) as roomy:
        assert set(roomy.memory.flights()) == set(kept)
        assert len(kept) == 2


async def test_under_a_smaller_bound_answers_go_and_what_is_unknown_stays(path: Path) -> None:
    async with journalled(path) as before:
        for n in range(10):
            await put(before.journal, out(), unknown(out()), identity=b"u%d" % n)
            await put(before.journal, out(keyed=True), answered(out(keyed=True)), identity=b"a%d" % n)

    async with journalled(path, max_bytes=1300) as small:
        assert set(small.memory.flights()) == {b"u%d" % n for n in range(10)}


async def test_no_token_gets_into_the_file(path: Path, crash: Callable[[], Path]) -> None:
    async with journalled(path, scrub=lambda data: data.replace(b"s3cret-token", b"***")) as running:
        told = reply(b'{"error":0,"error_text":"the token is s3cret-token"}')
        envelope = replace(told.envelope, error_text="the token is s3cret-token")
        ended = answered(out(), replace(told, envelope=envelope, content_type=b"text/s3cret-token"))
        await put(running.journal, out(), ended)
        await put(running.journal, out(), identity=b"f2")
        image = crash()
        written = image.read_bytes() + image.with_name("image-wal").read_bytes()

    async with journalled(image) as after:
        found = await after.journal.load(IDENTITY)
    assert b"the token is ***" in written
    assert b"s3cret" not in written
    assert found is not None
    assert found.answer.body == b'{"error":0,"error_text":"the token is ***"}'


async def test_after_a_failure_the_file_is_what_memory_is(path: Path, tmp_path: Path) -> None:
    directory = tmp_path / "later"
    async with journalled(directory / "journal") as running:
        await put(running.journal, out())
        await put(running.journal, out(), unknown(out()), identity=b"f2")
        assert running.failures
        directory.mkdir()
        await put(running.journal, out(), identity=b"f3")

    async with journalled(directory / "journal") as after:
        assert set(after.memory.flights()) == {IDENTITY, b"f2", b"f3"}


async def test_a_reload_s_bounds_hold_for_what_is_remembered(path: Path) -> None:
    async with journalled(path) as running:
        for n in range(10):
            await put(running.journal, out(), answered(out()), identity=b"f%d" % n)
        running.journal.resize(700, WINDOWS)
        assert len(running.memory) == 1


async def test_a_flight_that_goes_out_under_another_token_is_written_first(
    path: Path, crash: Callable[[], Path]
) -> None:
    async with journalled(path) as before:
        await put(before.journal, out(), replace(out(), token_mark=b"other"))
        image = crash()
    async with journalled(image) as after:
        found = await after.journal.load(IDENTITY)

    assert found is not None
    assert found.token_mark == b"other"
