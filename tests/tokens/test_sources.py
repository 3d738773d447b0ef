"""What is particular to one source."""

import os
from pathlib import Path

import pytest

from gateway.errors import TokenMissingError
from gateway.tokens.sources import EnvSource, FileSource

pytestmark = pytest.mark.anyio

FIRST = "first-token-4d774e52"
SECOND = "other-token-1fa003cd"


async def test_an_environment_cannot_change_so_it_has_no_version() -> None:
    assert await EnvSource("PLATFORM_TOKEN", {"PLATFORM_TOKEN": FIRST}).version() is None


async def test_a_variable_that_is_not_set_is_told_from_an_empty_one() -> None:
    with pytest.raises(TokenMissingError, match="not set"):
        await EnvSource("PLATFORM_TOKEN", {}).read()
    with pytest.raises(TokenMissingError, match="there is no token"):
        await EnvSource("PLATFORM_TOKEN", {"PLATFORM_TOKEN": ""}).read()


def mount(folder: Path, name: str, value: str) -> None:
    """Puts a secret the way Kubernetes does: token -> ..data/token, ..data -> a folder of this version."""
    (folder / name).mkdir()
    (folder / name / "token").write_text(value)
    fresh = folder / "..fresh"
    fresh.symlink_to(name)
    fresh.rename(folder / "..data")
    if not (folder / "token").is_symlink():
        (folder / "token").symlink_to("..data/token")


async def test_a_swapped_link_of_kubernetes_is_seen_and_followed(tmp_path: Path) -> None:
    mount(tmp_path, "..version1", FIRST)
    source = FileSource(tmp_path / "token")
    before = await source.version()
    assert (await source.read()).reveal() == FIRST

    mount(tmp_path, "..version2", SECOND)

    assert await source.version() != before
    assert (await source.read()).reveal() == SECOND


async def test_a_rewrite_of_the_same_length_is_seen_by_its_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(FIRST)
    os.utime(path, ns=(1, 1))
    before = await FileSource(path).version()

    path.write_text(SECOND)

    assert len(FIRST) == len(SECOND)
    assert await FileSource(path).version() != before


async def test_a_folder_in_place_of_the_file_is_a_missing_token(tmp_path: Path) -> None:
    with pytest.raises(TokenMissingError, match="is a folder, and no file with a token"):
        await FileSource(tmp_path).read()


async def test_a_path_to_something_endless_is_not_read_to_its_end() -> None:
    with pytest.raises(TokenMissingError, match="larger than 65536 bytes"):
        await FileSource(Path("/dev/zero")).read()
