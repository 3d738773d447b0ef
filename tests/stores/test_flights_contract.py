"""What every store of flights promises, whatever is behind it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.policy.flight import Flight
from gateway.stores.flights import FlightStore, StoreFullError
from tests.stores.backends import Clock
from tests.stores.flight_backends import (
    IDENTITY,
    WINDOWS,
    FlightBackend,
    answered,
    journalled,
    memory_of,
    out,
    put,
    reply,
    shared_flights,
    unknown,
)
from tests.stores.servers import SHARED
from tests.valkey import Server

pytestmark = pytest.mark.anyio

OWN_ROOM = pytest.mark.parametrize("backend", ["memory", "journal"], indirect=True)
"""Room in Redis is Redis' own to give."""
MAX_BYTES = 3000
"""Room for five flights without answers: a flight is counted as 600 bytes."""


@pytest.fixture(params=["memory", "journal", *SHARED])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FlightBackend]:
    clock = Clock()
    if request.param == "memory":
        yield FlightBackend(memory_of(clock, MAX_BYTES), clock)
        return
    if request.param != "journal":
        server: Server = request.getfixturevalue(request.param)
        async with shared_flights(server, f"{os.urandom(6).hex()}:") as shared:
            yield FlightBackend(shared.store, clock)
        return
    async with journalled(tmp_path / "journal", clock=clock, max_bytes=MAX_BYTES) as running:
        yield FlightBackend(running.journal, clock)


@pytest.fixture
def store(backend: FlightBackend) -> FlightStore:
    return backend.store


async def test_nothing_is_remembered_at_first(store: FlightStore) -> None:
    assert await store.load(IDENTITY) is None


async def test_the_last_state_is_what_is_loaded(store: FlightStore) -> None:
    flight = out()

    for state in (flight, replace(flight, pending=2), answered(flight, pending=2), answered(flight, owed=1)):
        await put(store, state)
        assert await store.load(IDENTITY) == state


async def test_plain_calls_find_and_change_what_is_loaded(store: FlightStore) -> None:
    if (near := store.near) is None:
        return
    for state in (out(), answered(out()), None):
        near.put(IDENTITY, state)
        assert near.find(IDENTITY) == await store.load(IDENTITY) == state


async def test_identities_do_not_touch_one_another(store: FlightStore) -> None:
    await put(store, out("one"), identity=b"f1")
    await put(store, out("two"), identity=b"f2")
    await put(store, None, identity=b"f1")

    assert await store.load(b"f1") is None
    assert await store.load(b"f2") == out("two")


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(out("new"), id="a flight that goes out"),
        pytest.param(answered(out("new")), id="an answer"),
        pytest.param(None, id="nothing"),
    ],
)
@pytest.mark.parametrize(
    ("there", "old"),
    [
        pytest.param(unknown(out()), None, id="something is there"),
        pytest.param(None, unknown(out()), id="nothing is there any more"),
        pytest.param(unknown(out()), answered(out()), id="something else is there"),
    ],
)
async def test_what_has_changed_meanwhile_is_not_replaced(
    store: FlightStore, there: Flight | None, old: Flight | None, new: Flight | None
) -> None:
    await put(store, there)

    assert not await store.swap(IDENTITY, old, new)
    assert await store.load(IDENTITY) == there


async def test_of_all_who_lead_at_once_one_goes_out(store: FlightStore) -> None:
    went = await asyncio.gather(*(store.swap(IDENTITY, None, out(f"id-{n}")) for n in range(50)))

    assert sum(went) == 1
    assert await store.load(IDENTITY) == out(f"id-{went.index(True)}")


async def test_a_change_is_carried_out_also_when_its_caller_leaves(store: FlightStore) -> None:
    turns, went = 1, False
    while not went:
        leading = asyncio.ensure_future(store.swap(IDENTITY, None, out()))
        for _ in range(turns):
            await asyncio.sleep(0)
        leading.cancel()
        [end] = await asyncio.gather(leading, return_exceptions=True)
        went = end is True
        turns += 1
        assert await store.load(IDENTITY) == out()
        await put(store, None)


@OWN_ROOM
async def test_for_room_an_answer_goes_and_its_flight_stays(store: FlightStore) -> None:
    flight = out(keyed=True)
    await put(store, flight, answered(flight, reply(b"x" * 2000), pending=0))
    await put(store, out(), identity=b"f2")

    kept = await store.load(IDENTITY)

    assert kept is not None
    assert kept.request_id == flight.request_id
    assert kept.answer is None


@OWN_ROOM
async def test_what_runs_or_is_unknown_is_never_given_up_for_room(store: FlightStore) -> None:
    kept = {b"f%d" % n: unknown(out(f"id-{n}")) if n % 2 else out(f"id-{n}") for n in range(5)}
    for identity, flight in kept.items():
        await put(store, out(flight.request_id), identity=identity)
        if flight != out(flight.request_id):
            await put(store, flight, identity=identity)

    with pytest.raises(StoreFullError):
        await store.swap(b"one more", None, out())
    assert {identity: await store.load(identity) for identity in kept} == kept
    assert await store.load(b"one more") is None


@OWN_ROOM
async def test_what_is_over_makes_room(store: FlightStore, backend: FlightBackend) -> None:
    for n in range(5):
        await put(store, out(), unknown(out()), identity=b"f%d" % n)

    backend.clock.advance(WINDOWS.unknown)

    for n in range(5):
        await put(store, out(), identity=b"g%d" % n)
    assert [await store.load(b"f%d" % n) for n in range(5)] == [None] * 5
