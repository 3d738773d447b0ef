"""The keeper's promises, against a source that does what each test says, and against a real file."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Hashable
from pathlib import Path
from typing import ClassVar

import pytest

from gateway import occurrence
from gateway.errors import TokenMissingError
from gateway.tokens.keeper import Token, TokenKeeper
from gateway.tokens.secret import Secret
from gateway.tokens.sources import EnvSource, FileSource, TokenSource

pytestmark = pytest.mark.anyio

FIRST = "first-token-4d774e52"
SECOND = "other-token-1fa003cd"


class ScriptedSource:
    """A source whose value, version and pace the test sets."""

    may_come_later: ClassVar[bool] = False

    def __init__(self, value: str | None, version: Hashable = 1) -> None:
        self.value = value
        self.now: Hashable = version
        self.reads = 0
        self.open = asyncio.Event()
        self.open.set()

    def describe(self) -> str:
        return "scripted"

    async def read(self) -> Secret:
        self.reads += 1
        value = self.value
        await self.open.wait()
        if value is None:
            raise TokenMissingError("scripted: there is no token")
        return Secret(value)

    async def version(self) -> Hashable:
        return self.now

    def change(self, value: str | None) -> None:
        self.value = value
        self.now = object()


class LateSource(ScriptedSource):
    """One whose token need not be there at the start."""

    may_come_later: ClassVar[bool] = True


def ignore(_: Token) -> None:
    """For the tests that ask for no news."""


def keeper_of(
    source: TokenSource, on_change: Callable[[Token], None] = ignore, interval: float = 3600.0
) -> TokenKeeper:
    ticks = itertools.count(100.0)
    return TokenKeeper(
        source,
        account="default",
        name="reader",
        clock=lambda: next(ticks),
        on_change=on_change,
        interval=interval,
    )


def running() -> list[str]:
    """The tasks of keepers that have not ended."""
    return [task.get_name() for task in asyncio.all_tasks() if " token " in task.get_name()]


Closing = Callable[[TokenKeeper], None]


@pytest.fixture
async def closing() -> AsyncIterator[Closing]:
    """Closes what a test started, whatever became of it."""
    keepers: list[TokenKeeper] = []
    yield keepers.append
    for keeper in keepers:
        await keeper.aclose()


async def test_the_first_value_is_epoch_one_with_the_time_it_was_read(closing: Closing) -> None:
    keeper = keeper_of(ScriptedSource(FIRST))
    closing(keeper)

    await keeper.start()

    assert keeper.current == Token(Secret(FIRST), epoch=1, loaded_at=100.0)


async def test_start_without_a_token_is_refused_and_leaves_nothing_running() -> None:
    keeper = keeper_of(ScriptedSource(None))

    with pytest.raises(TokenMissingError, match="scripted: there is no token"):
        await keeper.start()

    assert running() == []
    with pytest.raises(TokenMissingError):
        _ = keeper.current


async def test_a_token_that_may_come_later_is_waited_for_by_who_is_patient(
    closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = LateSource(None)
    keeper = keeper_of(source)
    closing(keeper)

    await keeper.start(patient=True)
    with pytest.raises(TokenMissingError, match="scripted: there is no token"):
        _ = keeper.current
    assert keeper.state.problem == "scripted: there is no token"
    source.value = FIRST
    await keeper.poll()

    assert keeper.current.epoch == 1
    assert caplog.messages == [
        "token default/reader is not there yet: scripted: there is no token",
        "token default/reader has come from scripted",
    ]


async def test_who_is_not_patient_is_refused_what_may_come_later() -> None:
    keeper = keeper_of(LateSource(None))

    with pytest.raises(TokenMissingError, match="scripted: there is no token"):
        await keeper.start()

    assert running() == []


async def test_before_the_start_there_is_no_token() -> None:
    with pytest.raises(TokenMissingError, match="scripted: not read yet"):
        _ = keeper_of(ScriptedSource(FIRST)).current


async def test_a_new_value_replaces_the_old_one_at_the_next_look(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    in_flight = keeper.current

    source.change(SECOND)
    await keeper.poll()

    assert keeper.current == Token(Secret(SECOND), epoch=2, loaded_at=101.0)
    assert in_flight.secret.reveal() == FIRST


async def test_a_rejected_token_has_its_source_read_at_once(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    rejected = keeper.current

    source.value = SECOND

    assert (await keeper.after_rejection(rejected)).secret.reveal() == SECOND
    assert keeper.current.epoch == 2


async def test_calls_that_are_rejected_together_share_one_read_and_latecomers_need_none(
    closing: Closing,
) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    rejected = keeper.current

    source.value = SECOND
    found = await asyncio.gather(*(keeper.after_rejection(rejected) for _ in range(3)))
    late = await keeper.after_rejection(rejected)

    assert {token.epoch for token in (*found, late)} == {2}
    assert source.reads == 2


@pytest.mark.parametrize("value", [FIRST, None], ids=["the same", "none"])
async def test_a_rejected_token_without_a_successor_is_given_back(
    closing: Closing, value: str | None
) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    rejected = keeper.current

    source.value = value

    assert await keeper.after_rejection(rejected) is rejected


async def test_a_look_at_an_unchanged_source_reads_nothing(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()

    await keeper.poll()

    assert source.reads == 1


async def test_the_same_value_in_a_new_file_is_no_rotation(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    seen: list[Token] = []
    keeper = keeper_of(source, seen.append)
    closing(keeper)
    await keeper.start()

    source.change(FIRST)
    await keeper.poll()
    await keeper.poll()

    assert keeper.current.epoch == 1
    assert len(seen) == 1
    assert source.reads == 2


async def test_the_redactor_learns_each_value_before_it_can_be_used(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    usable_when_told: list[int] = []
    keeper = keeper_of(source, lambda token: usable_when_told.append(keeper.state.epoch))
    closing(keeper)

    await keeper.start()
    source.change(SECOND)
    await keeper.poll()

    assert usable_when_told == [0, 1]


async def test_a_source_that_lost_its_token_keeps_the_old_one_and_says_so_once(
    closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()

    source.change(None)
    for _ in range(3):
        await keeper.poll()

    assert keeper.current.secret == Secret(FIRST)
    assert keeper.state.problem == "scripted: there is no token"
    assert [record.getMessage() for record in caplog.records] == [
        "token default/reader stays as it is: scripted: there is no token"
    ]


async def test_a_source_that_recovers_is_read_again_although_its_version_is_the_same(
    closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    source.change(None)
    await keeper.poll()

    source.value = SECOND  # as after a change of permissions, which no version shows
    await keeper.poll()

    assert keeper.current.secret == Secret(SECOND)
    assert keeper.state.problem == ""
    assert "token default/reader can be read again from scripted" in caplog.messages


async def test_refresh_reads_at_once_without_asking_for_the_version(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()

    source.value = SECOND
    await keeper.refresh()

    assert keeper.current.secret == Secret(SECOND)


async def test_callers_that_refresh_together_share_one_read(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    assert running() == ["watch token default/reader"]
    source.open.clear()

    callers = [asyncio.create_task(keeper.refresh()) for _ in range(20)]
    await asyncio.sleep(0)
    source.open.set()
    await asyncio.gather(*callers)

    assert source.reads == 2


async def test_a_caller_that_gives_up_does_not_take_the_read_from_the_others(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    source.open.clear()
    source.value = SECOND
    leaver, stayer = (asyncio.create_task(keeper.refresh()) for _ in range(2))
    await asyncio.sleep(0)

    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    source.open.set()
    await stayer

    assert leaver.cancelled()
    assert keeper.current.secret == Secret(SECOND)


async def test_the_watching_looks_again_and_again(closing: Closing) -> None:
    source = ScriptedSource(FIRST)
    changed = asyncio.Event()
    keeper = keeper_of(source, lambda token: changed.set() if token.epoch == 2 else None, interval=0.0)
    closing(keeper)
    await keeper.start()

    source.change(SECOND)
    await asyncio.wait_for(changed.wait(), 10)

    assert keeper.current.secret == Secret(SECOND)


async def test_a_look_that_fails_by_surprise_does_not_end_the_watching(
    closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    class Surprising(ScriptedSource):
        async def version(self) -> Hashable:
            if self.now == "surprise":
                self.change(SECOND)
                raise RuntimeError("can't start new thread")
            return await super().version()

    source = Surprising(FIRST)
    changed = asyncio.Event()
    keeper = keeper_of(source, lambda token: changed.set() if token.epoch == 2 else None, interval=0.0)
    closing(keeper)
    await keeper.start()

    source.now = "surprise"
    await asyncio.wait_for(changed.wait(), 10)

    assert "looking at the source of token default/reader failed" in caplog.messages


async def test_closing_ends_the_tasks_and_leaves_the_token() -> None:
    keeper = keeper_of(ScriptedSource(FIRST))
    await keeper.start()

    await keeper.aclose()

    assert running() == []
    assert keeper.current.secret == Secret(FIRST)


async def test_closing_ends_a_read_that_hangs() -> None:
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    await keeper.start()
    source.open.clear()
    caller = asyncio.create_task(keeper.refresh())
    await asyncio.sleep(0)

    await keeper.aclose()
    await asyncio.gather(caller, return_exceptions=True)

    assert caller.cancelled()
    assert running() == []


async def test_an_environment_is_not_watched() -> None:
    keeper = keeper_of(EnvSource("PLATFORM_TOKEN", {"PLATFORM_TOKEN": FIRST}))

    await keeper.start()

    assert running() == []


async def test_a_file_is_followed_through_loss_and_rotation(closing: Closing, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(FIRST + "\n")
    keeper = keeper_of(FileSource(path))
    closing(keeper)
    await keeper.start()

    path.write_text("")
    await keeper.poll()
    empty = keeper.state
    path.unlink()
    await keeper.poll()
    gone = keeper.state
    path.write_text(SECOND)
    await keeper.poll()

    assert (empty.epoch, empty.problem) == (1, f"file {path}: there is no token")
    assert (gone.epoch, gone.problem) == (1, f"file {path}: No such file or directory")
    assert (keeper.state.epoch, keeper.state.problem) == (2, "")
    assert keeper.current.secret == Secret(SECOND)


async def test_what_the_keeper_says_never_holds_a_value(
    closing: Closing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = ScriptedSource(FIRST)
    keeper = keeper_of(source)
    closing(keeper)
    await keeper.start()
    source.change(SECOND)
    await keeper.poll()
    source.change(None)
    await keeper.poll()

    said = caplog.text + repr(keeper.state) + repr(keeper.current)

    assert "token default/reader was replaced from scripted" in said
    assert [dict(occurrence.of(record)) for record in caplog.records] == [
        {"event": name, "account": "default", "token": "reader"}
        for name in ("token_replaced", "token_unreadable")
    ]
    assert FIRST not in said
    assert SECOND not in said
