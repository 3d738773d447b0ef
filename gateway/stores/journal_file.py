"""The journal's file: an SQLite database with one row for each flight that is remembered.

Everything here blocks, and belongs to one thread. It refuses to know when to write: that is `journal`'s.

What is committed survives the death of the process, by `kill -9` too: WAL mode with `synchronous = NORMAL`
hands each commit to the operating system. A power cut may take the commits that the system had not yet
written. Waiting for the disk at each commit would prevent that, at the price of a disk's latency in front of
every modifying call.

The database is locked for as long as it is open, so that two gateways never share one; the lock goes with the
process. A file that SQLite calls damaged is moved aside, never deleted, and a new one is begun. What somebody
wrote as a text is no damaged database: a path that names it is a mistake, and it stays where it is.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.errors import GatewayError
from gateway.policy.flight import Flight
from gateway.stores.flights import Identity

APPLICATION_ID = 0x6777_6A6C
"""Says in the file's head whose database it is: a path that names another program's is a mistake."""
VERSION = 1
"""Of the rows' form."""
MODE = 0o600
"""Replies hold personal data."""
WAL_KEPT = 4 * 1024 * 1024
"""Bytes that the log beside the database keeps after it was worked in."""

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Flight)
_TABLE = "CREATE TABLE flight (identity BLOB PRIMARY KEY, flight BLOB NOT NULL, answer BLOB)"
_PUT = "INSERT OR REPLACE INTO flight VALUES (?, ?, ?)"
_DELETE = "DELETE FROM flight WHERE identity = ?"

Flights = Mapping[Identity, Flight]
Changes = Mapping[Identity, Flight | None]
"""What is remembered under each identity from now on; None: nothing."""


class Packer(Protocol):
    """Makes bytes of answers, and answers of bytes. `unpack` raises msgspec.DecodeError."""

    def pack(self, answer: object, /) -> bytes: ...

    def unpack(self, data: bytes, /) -> object: ...


class JournalError(GatewayError):
    """The file cannot be used at the moment. The text says why, for the operator."""


class _DamagedError(Exception):
    """What is in the file is no journal any more, or none that this version can read."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the file held. `damage` says what was wrong with the one that was moved aside; "" if none was."""

    flights: Flights
    damage: str = ""


class JournalFile:
    """One file. A failure closes it; `open` begins again. `stamp` gives what tells damaged files apart."""

    def __init__(self, path: Path, packer: Packer, stamp: Callable[[], str]) -> None:
        self.path = path
        self._packer = packer
        self._stamp = stamp
        self._database: sqlite3.Connection | None = None

    def open(self) -> Opened:
        """All that is remembered. Raises JournalError."""
        self.close()
        with _translated():
            try:
                return Opened(self._begin())
            except _DamagedError as error:
                aside = self._move_aside()
                return Opened(self._begin(), f"{error}; it is {aside.name} now, and a new one was begun")

    def write(self, changes: Changes) -> None:
        """All of them or none. Raises JournalError."""
        with _translated():
            try:
                self._write(changes)
            except _DamagedError as error:
                raise JournalError(f"{error}; it is {self._move_aside().name} now") from error
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):  # whatever it is, the next `open` will say it
                database.close()

    def _begin(self) -> Flights:
        _create(self.path)
        _refuse_text(self.path)
        self._database = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        try:
            with _damage_told():
                is_new = _is_new(self._database)
                _make_private(self.path)
                _set_up(self._database)
                if is_new:
                    _create_table(self._database)
                rows = self._database.execute("SELECT identity, flight, answer FROM flight").fetchall()
                return {identity: self._flight(flight, answer) for identity, flight, answer in rows}
        except BaseException:
            self.close()
            raise

    def _write(self, changes: Changes) -> None:
        assert self._database is not None
        gone = [(identity,) for identity, flight in changes.items() if flight is None]
        kept = [self._row(identity, flight) for identity, flight in changes.items() if flight is not None]
        with _damage_told():
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_DELETE, gone)
            self._database.executemany(_PUT, kept)
            self._database.execute("COMMIT")

    def _row(self, identity: Identity, flight: Flight) -> tuple[bytes, bytes, bytes | None]:
        answer = None if flight.answer is None else self._packer.pack(flight.answer)
        return identity, _ENCODER.encode(msgspec.structs.replace(flight, answer=None)), answer

    def _flight(self, flight: bytes, answer: bytes | None) -> Flight:
        decoded = _DECODER.decode(flight)
        if answer is None:
            return decoded
        return msgspec.structs.replace(decoded, answer=self._packer.unpack(answer))

    def _move_aside(self) -> Path:
        self.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{self._stamp()}")
        # First the log: left behind, it would be taken for the new database's.
        with suppress(FileNotFoundError):
            _beside(self.path).rename(_beside(aside))
        self.path.rename(aside)
        return aside


def _beside(path: Path) -> Path:
    """SQLite's write-ahead log of the database at `path`."""
    return path.with_name(path.name + "-wal")


def _refuse_text(path: Path) -> None:
    """Another file than a journal: a configuration, say. A torn database has bytes that no text has."""
    with path.open("rb") as file:
        start = file.read(4096)
    with suppress(UnicodeDecodeError):
        if start and "\0" not in start.decode():
            raise JournalError("is a text and no journal, and was left as it is")


def _create(path: Path) -> None:
    """A new file is private from its first moment."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE))


def _make_private(path: Path) -> None:
    """Before anything is written. A log that is made later gets the database's mode."""
    path.chmod(MODE)
    with suppress(FileNotFoundError):
        _beside(path).chmod(MODE)


def _is_new(database: sqlite3.Connection) -> bool:
    """Whether nothing is in it. What is in it has to be a journal of this version."""
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    [owner] = database.execute("PRAGMA application_id").fetchone()
    [tables] = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    [version] = database.execute("PRAGMA user_version").fetchone()
    if not tables:
        return True
    if owner != APPLICATION_ID:
        raise JournalError("is another program's database")
    if version != VERSION:
        raise _DamagedError(f"is of version {version}, and this gateway reads {VERSION}")
    return False


def _set_up(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")


def _create_table(database: sqlite3.Connection) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute(_TABLE)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.execute("COMMIT")


@contextmanager
def _damage_told() -> Iterator[None]:
    """Tells what is wrong with the content from what is wrong with the disk."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the kind of an error, the rest says more (SQLite, "Result and Error Codes").
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
            raise
        raise _DamagedError(f"is damaged ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _DamagedError(f"is damaged (a row cannot be read: {error})") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"cannot be used ({error})") from error
    except _DamagedError as error:  # the new one as well
        raise JournalError(str(error)) from error
