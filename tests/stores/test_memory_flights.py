"""gateway.stores.memory_flights: what goes for room, in which order, and what never does. That it keeps the
promises of a flight store is shown in test_flights_contract.py."""

import tracemalloc

import msgspec
import pytest

from gateway.policy.flight import Flight, State, Windows
from gateway.stores.flights import StoreFullError
from gateway.stores.memory_flights import OVERHEAD, MemoryFlights

pytestmark = pytest.mark.anyio

MINUTE = 60.0
WINDOWS = Windows(owed=5 * MINUTE, key=10 * MINUTE, unknown=20 * MINUTE)
ANSWER = b"a" * 400


class Store(MemoryFlights):
    """The store with room for a number of flights, and with its time in reach."""

    def __init__(self, room: int) -> None:
        self.seconds = 1000.0
        super().__init__(room, WINDOWS, lambda: self.seconds, size)

    async def brought(self, name: str, state: State, answer: bytes | None = None) -> None:
        """One more flight, from its first call to that state."""
        out = Flight(
            State.IN_FLIGHT, name, b"fingerprint", keyed=True, token_mark=b"", began=self.seconds, pending=1
        )
        assert await self.swap(name.encode(), None, out)
        if state is not State.IN_FLIGHT:
            ended = msgspec.structs.replace(out, state=state, ended=self.seconds, answer=answer)
            assert await self.swap(name.encode(), out, ended)

    async def state(self, name: str) -> str:
        flight = await self.load(name.encode())
        if flight is None:
            return "gone"
        return f"{flight.state.value}{'' if flight.answer is None else ' with its answer'}"


def size(answer: object) -> int:
    assert isinstance(answer, bytes)
    return len(answer)


async def test_answers_go_first_the_oldest_first_and_the_ids_stay() -> None:
    store = Store(3 * OVERHEAD + 2 * len(ANSWER))
    for name in ("first", "second", "third"):
        await store.brought(name, State.ANSWERED, ANSWER)
    assert [await store.state(name) for name in ("first", "second", "third")] == [
        "answered",
        "answered with its answer",
        "answered with its answer",
    ]
    assert store.bytes == store.recount() == 3 * OVERHEAD + 2 * len(ANSWER)


async def test_when_no_answer_is_left_the_oldest_answered_flight_goes() -> None:
    store = Store(2 * OVERHEAD + len(ANSWER))
    for name in ("first", "second", "third"):
        await store.brought(name, State.ANSWERED, ANSWER)
    assert [await store.state(name) for name in ("first", "second", "third")] == [
        "gone",
        "answered",
        "answered with its answer",
    ]


@pytest.mark.parametrize("state", [State.IN_FLIGHT, State.UNKNOWN])
async def test_what_is_out_or_unknown_never_goes_and_another_flight_is_refused(state: State) -> None:
    store = Store(2 * OVERHEAD)
    await store.brought("first", state)
    await store.brought("second", state)
    with pytest.raises(StoreFullError):
        await store.brought("third", State.IN_FLIGHT)
    assert [await store.state(name) for name in ("first", "second", "third")] == [state, state, "gone"]
    assert store.bytes == store.recount() == 2 * OVERHEAD


async def test_an_answer_without_room_is_not_kept_and_the_flight_is() -> None:
    store = Store(OVERHEAD + len(ANSWER) - 1)
    await store.brought("first", State.ANSWERED, ANSWER)
    assert await store.state("first") == "answered"
    assert store.bytes == store.recount() == OVERHEAD


async def test_a_flight_whose_time_is_over_makes_room_by_itself() -> None:
    store = Store(2 * OVERHEAD)
    await store.brought("first", State.UNKNOWN)
    await store.brought("second", State.UNKNOWN)
    store.seconds += WINDOWS.unknown
    await store.brought("third", State.UNKNOWN)
    assert [await store.state(name) for name in ("first", "second", "third")] == ["gone", "gone", "unknown"]


async def test_a_flight_that_takes_the_place_of_one_whose_time_is_over_keeps_to_the_bound() -> None:
    store = Store(OVERHEAD)
    await store.brought("first", State.UNKNOWN)
    over = await store.load(b"first")
    assert over is not None
    store.seconds += WINDOWS.unknown
    anew = msgspec.structs.replace(over, state=State.IN_FLIGHT, began=store.seconds)
    assert await store.swap(b"first", over, anew)
    assert store.bytes == store.recount() == OVERHEAD


async def test_a_change_of_what_is_no_longer_there_is_refused() -> None:
    store = Store(9 * OVERHEAD)
    await store.brought("first", State.IN_FLIGHT)
    seen = await store.load(b"first")
    assert seen is not None
    assert await store.swap(b"first", seen, msgspec.structs.replace(seen, pending=2))
    assert not await store.swap(b"first", seen, None)
    assert not await store.swap(b"first", None, seen)
    assert not await store.swap(b"second", seen, None)


async def test_10_000_keys_stay_within_a_mebibyte_and_the_count_is_right() -> None:
    store = Store(2**20)
    for number in range(10_000):
        state = State.UNKNOWN if number % 20 == 0 else State.ANSWERED
        await store.brought(f"key-{number}", state, None if state is State.UNKNOWN else ANSWER)
        assert store.bytes <= 2**20
    assert store.bytes == store.recount()
    unknown = [await store.state(f"key-{number}") for number in range(0, 10_000, 20)]
    assert unknown == ["unknown"] * 500
    assert await store.state("key-9999") == "answered with its answer"
    assert await store.state("key-1") == "gone"


async def test_what_a_flight_is_counted_as_covers_what_it_takes() -> None:
    count = 5_000
    store = Store(2**30)
    tracemalloc.start()
    try:
        for number in range(count):
            await store.brought(f"{number:0128}", State.ANSWERED)  # no key is longer
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(store) == count
    assert taken / count < OVERHEAD * 1.1, "an identity of ordinary length takes two thirds of it"
    assert repr(store) == f"<MemoryFlights {count} flights, {count * OVERHEAD} of {2**30} bytes>"
