"""The stores of flights under test, with a hand on their clock, and flights to put into them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format
from gateway.policy.flight import Flight, State, Windows
from gateway.stores.flights import FlightStore
from gateway.stores.journal import Journal
from gateway.stores.journal_file import JournalFile
from gateway.stores.journal_writer import JournalWriter
from gateway.stores.memory_flights import MemoryFlights
from gateway.stores.redis.flights import RedisFlights
from gateway.stores.redis.link import Link
from gateway.upstream.packing import EndPacker, ReplyPacker
from gateway.upstream.reply import Reply, answer_size
from tests.stores.backends import Clock, link_to
from tests.valkey import Server

WINDOWS = Windows(owed=300, key=3600, unknown=7200)
IDENTITY = b"f0123"
STAMP = "20261123T200000Z"


@dataclass
class FlightBackend:
    """A store and the way to move its time."""

    store: FlightStore
    clock: Clock


def memory_of(clock: Clock, max_bytes: int = 2**24) -> MemoryFlights:
    return MemoryFlights(max_bytes, WINDOWS, clock, answer_size)


def file_at(path: Path, scrub: Callable[[bytes], bytes] = bytes) -> JournalFile:
    return JournalFile(path, ReplyPacker(scrub), lambda: STAMP)


@dataclass
class Journalled:
    """A journal that runs, its memory, and what it said of failures."""

    journal: Journal
    memory: MemoryFlights
    failures: list[str]


@asynccontextmanager
async def journalled(
    path: Path,
    *,
    clock: Clock | None = None,
    max_bytes: int = 2**24,
    retry: float = 0.0,
    patience: float = 20.0,
    lag: float = 3600.0,
    scrub: Callable[[bytes], bytes] = bytes,
) -> AsyncIterator[Journalled]:
    """A journal over the file at `path`. Changes that may wait do so until a flight goes out, or until the
    end; a file that failed is tried again at once."""
    memory, failures = memory_of(clock or Clock(), max_bytes), list[str]()
    writer = JournalWriter(file_at(path, scrub), failures.append, lag=lag, patience=patience, retry=retry)
    journal = Journal(memory, writer)
    await journal.start()
    try:
        yield Journalled(journal, memory, failures)
    finally:
        await journal.aclose()


def out(request_id: str = "id-1", *, keyed: bool = False, began: float = 1000.0) -> Flight:
    """A flight that goes out, with the caller that waits for it."""
    return Flight(
        state=State.IN_FLIGHT,
        request_id=request_id,
        fingerprint=b"print",
        keyed=keyed,
        token_mark=b"mark",
        began=began,
        pending=1,
    )


def answered(flight: Flight, answer: Reply | None = None, *, pending: int = 1, owed: int = 0) -> Flight:
    return replace(
        flight,
        state=State.ANSWERED,
        ended=flight.began + 1,
        pending=pending,
        owed=owed,
        answer=reply() if answer is None else answer,
    )


def unknown(flight: Flight) -> Flight:
    return replace(
        flight, state=State.UNKNOWN, ended=flight.began + 1, written=True, pending=0, owed=flight.pending
    )


def reply(body: bytes = b'{"error":0,"error_text":"done"}') -> Reply:
    return Reply(
        status=200,
        content_type=b"application/json",
        body=body,
        format=Format.JSON,
        envelope=Envelope(
            code=0, error_text="done", item_codes=((0, 1), (None, 1)), is_object=True, is_json=True
        ),
        duplicate=False,
        retry_after=b"7",
    )


async def put(store: FlightStore, *states: Flight | None, identity: bytes = IDENTITY) -> None:
    """One state after another."""
    old = await store.load(identity)
    for new in states:
        assert await store.swap(identity, old, new)
        old = new


@dataclass
class Shared:
    """One gateway's store in Redis, and its parts."""

    store: RedisFlights
    link: Link
    alone: MemoryFlights


@asynccontextmanager
async def shared_flights(
    server: Server, prefix: str, *, refuse: bool = False, max_bytes: int = 2**24, url: str = ""
) -> AsyncIterator[Shared]:
    """What one gateway of several has: all with the same prefix share."""
    clock = Clock()
    link, alone = link_to(server, prefix, url=url), memory_of(clock, max_bytes)
    replies = ReplyPacker(bytes)
    store = RedisFlights(
        link, alone, max_bytes, WINDOWS, refuse=refuse, answers=replies, ends=EndPacker(replies), now=clock
    )
    await link.start()
    try:
        yield Shared(store, link, alone)
    finally:
        await store.aclose()
        await link.aclose()
