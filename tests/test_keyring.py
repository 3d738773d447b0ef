"""gateway.keyring: which keepers a reload keeps, and that a refused one leaves nothing behind."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import SettingsError, TokenMissingError
from gateway.keyring import Keyring, Name
from gateway.settings.model import Settings
from gateway.settings.token_source import TokenSource
from gateway.tokens.keeper import TokenKeeper
from gateway.tokens.sources import FileSource

pytestmark = pytest.mark.anyio


class Bench:
    """Token files, and keepers of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def file(self, name: str, value: str = "a-token-of-some-length") -> dict[str, str]:
        (self.directory / name).write_text(value)
        return {"file": str(self.directory / name)}

    def make(self, name: Name, source: TokenSource) -> TokenKeeper:
        if source.file is None:
            raise TokenMissingError("no such kind of source")
        return TokenKeeper(
            FileSource(source.file),
            account=name[0],
            name=name[1],
            clock=lambda: 7.0,
            on_change=lambda _: None,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def settings(**sections: Any) -> Settings:
    return Settings.model_validate(sections)


def watchers() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("watch token")}


async def started(bench: Bench, wanted: Settings) -> Keyring:
    ring = Keyring.of(wanted, bench.make)
    await ring.start()
    return ring


async def test_every_account_has_its_tokens_by_name(bench: Bench) -> None:
    account = {"base_url": "https://eu.example/v1", "token": bench.file("c")}
    wanted = settings(token=bench.file("a"), tokens={"reader": bench.file("b")}, accounts={"eu": account})
    ring = await started(bench, wanted)
    assert set(ring.keepers) == {("default", "default"), ("default", "reader"), ("eu", "default")}
    assert set(ring.account("default")) == {"default", "reader"}
    assert ring.ages(now=10.0) == dict.fromkeys(ring.keepers, 3.0)
    await ring.aclose()
    assert watchers() == set()


async def test_a_keeper_survives_where_its_source_is_the_same(bench: Bench) -> None:
    first = settings(token=bench.file("a"), tokens={"reader": bench.file("b"), "old": bench.file("c")})
    ring = await started(bench, first)
    second = settings(token=bench.file("a"), tokens={"reader": bench.file("d"), "new": bench.file("c")})
    renewed = await ring.renewed(second, bench.make)
    main, reader = ("default", "default"), ("default", "reader")
    assert renewed.keepers[main] is ring.keepers[main]
    assert renewed.keepers[reader] is not ring.keepers[reader]
    await ring.aclose(but=renewed)
    assert watchers() == {
        "watch token default/default",
        "watch token default/reader",
        "watch token default/new",
    }
    assert ring.keepers["default", "old"].current.epoch == 1, "usable for the calls that took it"
    await renewed.aclose()
    assert watchers() == set()


async def test_every_token_that_is_missing_is_a_problem_and_nothing_new_is_left_running(bench: Bench) -> None:
    ring = await started(bench, settings(token=bench.file("a")))
    account = {"base_url": "https://eu.example/v1", "token": {"file": "/nowhere/b"}, "tokens": {}}
    bad = settings(
        token=bench.file("a"),
        tokens={"good": bench.file("c"), "kind": {"env": "VARIABLE"}},
        accounts={"eu": {**account, "tokens": {"short": bench.file("d", "short")}}},
    )
    with pytest.raises(SettingsError) as refused:
        await ring.renewed(bad, bench.make)
    assert [problem.key for problem in refused.value.problems] == [
        "tokens.kind",
        "accounts.eu.token",
        "accounts.eu.tokens.short",
    ]
    assert watchers() == {"watch token default/default"}
    await ring.aclose()
