"""The file by itself: what it keeps, who may read it, and what becomes of one that is not a journal."""

import os
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.policy.flight import Flight
from gateway.stores.journal_file import JournalError, JournalFile
from tests.stores.flight_backends import STAMP, answered, file_at, out, unknown

FLIGHTS: dict[bytes, Flight] = {
    b"f1": out(),
    b"f2": unknown(out("id-2")),
    b"k\0key": answered(out("id-3", keyed=True), owed=2),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def file(path: Path) -> Iterator[JournalFile]:
    file = file_at(path)
    yield file
    file.close()


def written(path: Path, flights: dict[bytes, Flight]) -> None:
    """A journal that was closed."""
    file = file_at(path)
    file.open()
    file.write(flights)
    file.close()


def test_a_new_file_is_empty(file: JournalFile) -> None:
    assert file.open().flights == {}


def test_flights_come_back_as_they_were(file: JournalFile, path: Path) -> None:
    written(path, FLIGHTS)

    opened = file.open()

    assert opened.flights == FLIGHTS
    assert opened.damage == ""


def test_a_change_replaces_and_nothing_deletes(file: JournalFile, path: Path) -> None:
    written(path, FLIGHTS)
    file.open()
    file.write({b"f1": unknown(out()), b"f2": None, b"never there": None})

    assert file.open().flights == {b"f1": unknown(out()), b"k\0key": FLIGHTS[b"k\0key"]}


def test_a_failed_write_leaves_nothing_behind(file: JournalFile, path: Path) -> None:
    written(path, {})
    file.open()

    with pytest.raises(AssertionError):  # the packer's: not a reply
        file.write({b"f1": out(), b"f2": replace(answered(out()), answer="no reply")})
    assert file.open().flights == {}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_nobody_else_may_read_it_nor_its_log(file: JournalFile, path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        file.open()
        file.write(FLIGHTS)
    finally:
        os.umask(before)

    assert {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {
        "journal": 0o600,
        "journal-wal": 0o600,
    }


def test_a_file_that_others_could_read_is_closed_to_them(file: JournalFile, path: Path) -> None:
    written(path, FLIGHTS)
    path.chmod(0o644)

    file.open()
    file.write({b"f1": None})

    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite_pages(path: Path) -> None:
    """All but the first page, which says that it is a database."""
    content = bytearray(path.read_bytes())
    content[4096:] = random.Random(1).randbytes(len(content) - 4096)
    path.write_bytes(content)


def overwrite_all(path: Path) -> None:
    path.write_bytes(b"this is no database\n\0" * 500)


def garble_a_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE flight SET flight = x'c1' WHERE identity = ?", (b"f1",))


def garble_an_answer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE flight SET answer = x'80' WHERE identity = ?", (b"k\0key",))


def of_another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    "damage",
    [cut_in_half, overwrite_pages, overwrite_all, garble_a_row, garble_an_answer, of_another_version],
)
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    file: JournalFile, path: Path, damage: Callable[[Path], None]
) -> None:
    written(path, FLIGHTS | {b"f%d" % n: out("x" * 500) for n in range(100, 200)})
    damage(path)
    content = path.read_bytes()

    opened = file.open()
    file.write({b"f1": out()})

    assert opened.flights == {}
    assert f"journal.damaged-{STAMP}" in opened.damage
    assert path.with_name(f"journal.damaged-{STAMP}").read_bytes() == content
    assert file.open().flights == {b"f1": out()}


def test_damage_that_shows_while_writing_is_moved_aside_for_the_next_open(
    file: JournalFile, path: Path
) -> None:
    more_than_sqlite_keeps_in_memory = {b"f%d" % n: out("x" * 1000) for n in range(5000)}
    written(path, more_than_sqlite_keeps_in_memory)
    file.open()
    overwrite_pages(path)

    with pytest.raises(JournalError, match="damaged"):
        file.write(dict.fromkeys(more_than_sqlite_keeps_in_memory))
    assert path.with_name(f"journal.damaged-{STAMP}").exists()
    assert file.open().flights == {}


def test_another_program_s_database_is_left_alone(file: JournalFile, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
    path.chmod(0o644)
    before = path.read_bytes()

    with pytest.raises(JournalError, match="is another program's database"):
        file.open()
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["journal"]


def test_a_file_that_another_gateway_has_open_is_left_to_it(file: JournalFile, path: Path) -> None:
    written(path, FLIGHTS)
    holding = (
        "import sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA locking_mode = EXCLUSIVE')\n"
        "database.execute('DELETE FROM flight WHERE identity = ?', (b'f1',))\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(JournalError, match="locked"):
            file.open()
        other.kill()

    assert file.open().flights == {name: FLIGHTS[name] for name in FLIGHTS if name != b"f1"}


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("missing/journal", id="a directory that is not there"),
        pytest.param("file/journal", id="a file in place of the directory"),
        pytest.param("directory", id="a directory in its own place"),
        pytest.param("/proc/journal", id="a directory that takes no files"),
    ],
)
def test_a_place_that_takes_no_file_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "directory").mkdir(mode=0o755)
    (tmp_path / "file").touch()

    with pytest.raises(JournalError, match="cannot be used"):
        file_at(tmp_path / place).open()
    assert stat.S_IMODE((tmp_path / "directory").stat().st_mode) == 0o755


def test_pages_of_deleted_rows_are_used_again(file: JournalFile, path: Path) -> None:
    file.open()
    for n in range(3000):
        file.write({b"f%d" % n: out("x" * 1000), b"f%d" % (n - 10): None})
    file.close()

    assert path.stat().st_size < 200_000


def test_a_text_is_no_damaged_journal_and_stays_where_it_is(file: JournalFile, path: Path) -> None:
    path.write_text("upstream: {base_url: https://example.com/api}\n")
    with pytest.raises(JournalError, match="is a text and no journal"):
        file.open()
    assert path.read_text().startswith("upstream:")
    assert list(path.parent.iterdir()) == [path]
