"""What every token source promises. A new source is added to `place` and has to pass all of it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.errors import TokenMissingError
from gateway.tokens.sources import EnvSource, FileSource, TokenSource

pytestmark = pytest.mark.anyio

FIRST = b"first-token-4d774e52"
SECOND = b"other-token-1fa003cd"


@dataclass(frozen=True)
class Place:
    """A source, and the operator's side of it."""

    source: TokenSource
    named: str
    put: Callable[[bytes], object]
    clear: Callable[[], object]


def env_place(_: Path) -> Place:
    environ: dict[str, str] = {}
    return Place(
        source=EnvSource("PLATFORM_TOKEN", environ),
        named="env PLATFORM_TOKEN",
        put=lambda raw: environ.update(PLATFORM_TOKEN=os.fsdecode(raw)),
        clear=environ.clear,
    )


def file_place(folder: Path) -> Place:
    path = folder / "token"
    return Place(
        source=FileSource(path), named=f"file {path}", put=path.write_bytes, clear=lambda: path.unlink()
    )


@pytest.fixture(params=[pytest.param(env_place, id="env"), pytest.param(file_place, id="file")])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    make: Callable[[Path], Place] = request.param
    return make(tmp_path)


async def test_it_reads_the_token_without_its_newline(place: Place) -> None:
    place.put(FIRST + b"\n")

    assert (await place.source.read()).reveal() == FIRST.decode()


async def test_it_reads_anew_every_time(place: Place) -> None:
    place.put(FIRST)
    await place.source.read()

    place.put(SECOND)

    assert (await place.source.read()).reveal() == SECOND.decode()


def test_it_says_where_it_looks(place: Place) -> None:
    assert place.source.describe() == place.named


async def test_a_place_without_a_token_is_named(place: Place) -> None:
    with pytest.raises(TokenMissingError) as refusal:
        await place.source.read()

    assert str(refusal.value).startswith(f"{place.named}: ")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"short", id="short"),
        pytest.param(FIRST + b"\xff", id="not UTF-8"),
        pytest.param(FIRST + b"\n" + SECOND, id="two lines"),
    ],
)
async def test_an_unusable_token_is_refused_by_name_and_not_shown(place: Place, raw: bytes) -> None:
    place.put(raw)

    with pytest.raises(TokenMissingError) as refusal:
        await place.source.read()

    assert str(refusal.value).startswith(f"{place.named}: ")
    assert "4d774e52" not in str(refusal.value)
    assert refusal.value.__cause__ is None


async def test_the_version_stays_while_the_place_does(place: Place) -> None:
    place.put(FIRST)

    assert await place.source.version() == await place.source.version()


async def test_the_version_tells_of_a_change_or_says_that_none_can_be_seen(place: Place) -> None:
    place.put(FIRST)
    before = await place.source.version()

    place.put(SECOND + b"-longer")

    assert before is None or await place.source.version() != before


async def test_the_version_of_a_place_that_is_gone_is_no_error(place: Place) -> None:
    place.put(FIRST)
    before = await place.source.version()

    place.clear()

    assert before is None or await place.source.version() not in (None, before)
