"""Flights that outlive the process: memory in front, a file behind.

    load, join, hand out   memory alone
    a flight goes out      its row is committed before `swap` returns, so before its first byte is sent
    all else               its row follows soon after

Memory stays what everybody reads, and has all that the file has: what it forgets is deleted there too, so the
file is bounded as memory is. When to write, and what becomes of a file that fails, is `journal_writer`'s.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gateway.policy.flight import Ended, Flight, State, Windows, revived
from gateway.stores.flights import Identity
from gateway.stores.journal_file import Changes, Flights, JournalFile, Packer
from gateway.stores.journal_writer import JournalWriter, Operation
from gateway.stores.memory_flights import MemoryFlights


class Journal:
    """A FlightStore over `memory` and the writer's file."""

    near = None  # what goes out waits for the file

    def __init__(self, memory: MemoryFlights, writer: JournalWriter) -> None:
        self._memory = memory
        self._writer = writer
        self._is_restored = False

    async def start(self) -> None:
        """Take up what the file remembers. Never fails: without the file, calls are answered all the same."""
        self._memory.watch(self._changed)
        await self._writer.start(self._differences)

    async def aclose(self) -> None:
        """Write what is left, and let go of the file. For one that was never started, too."""
        await self._writer.aclose()

    @property
    def is_well(self) -> bool:
        """Whether the file is written, as far as is known."""
        return self._writer.is_well

    def resize(self, max_bytes: int, windows: Windows) -> None:
        self._memory.resize(max_bytes, windows)

    async def load(self, identity: Identity, *, guess: bool = False) -> Flight | None:
        return await self._memory.load(identity)

    async def swap(
        self, identity: Identity, old: Flight | None, new: Flight | None, end: Ended | None = None
    ) -> bool:
        swapped = await self._memory.swap(identity, old, new)
        if swapped and new is not None and _goes_out(old, new):
            await self._writer.commit(identity, new)
        return swapped

    async def follow(self, identity: Identity, request_id: str) -> Ended | None:
        """Nobody else leads what is remembered here."""
        return None

    def _changed(self, identity: Identity, flight: Flight | None) -> None:
        """Memory changed. Who joins a flight that is out need not be known: after a crash all are owed."""
        if not _is_out(flight):
            self._writer.note(identity, flight)

    def _differences(self, kept: Flights) -> Changes:
        """What makes a file that holds `kept` equal to memory. The first time, memory learns from it."""
        known = {identity: revived(flight) for identity, flight in kept.items()}
        if not self._is_restored:  # a file that is opened again is behind, and has nothing to teach
            self._is_restored = True
            self._memory.restore(known)
        flights = self._memory.flights()
        gone: dict[Identity, Flight | None] = dict.fromkeys(known.keys() - flights.keys())
        return gone | {
            identity: flight for identity, flight in flights.items() if known.get(identity) is not flight
        }


def journal_at(
    path: Path,
    memory: MemoryFlights,
    packer: Packer,
    failed: Callable[[Operation], None],
    wall_clock: Callable[[], float],
) -> Journal:
    """A journal in the file at `path`, still to be started."""

    def stamp() -> str:
        return datetime.fromtimestamp(wall_clock(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")

    return Journal(memory, JournalWriter(JournalFile(path, packer, stamp), failed))


def _goes_out(old: Flight | None, new: Flight) -> bool:
    """For the first time, again, or under another token than its row says."""
    return _is_out(new) and not (old is not None and _is_out(old) and old.token_mark == new.token_mark)


def _is_out(flight: Flight | None) -> bool:
    return flight is not None and flight.state is State.IN_FLIGHT
