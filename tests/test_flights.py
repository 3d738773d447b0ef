"""gateway.flights: one execution, whoever waits, leaves or is cancelled, and whenever. On the memory store,
and on one that suspends, as a journal does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway import errors
from gateway.catalogue.model import Replay
from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format
from gateway.errors import CallError
from gateway.flights import Flights
from gateway.landing import Landing
from gateway.policy.flight import Arrival, Ended, Flight, State, Windows
from gateway.presence import Presence
from gateway.records import FlightRole
from gateway.stores.flights import FlightStore, Identity
from gateway.stores.memory_flights import MemoryFlights
from gateway.tasks import TaskOwner
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply, answer_size
from gateway.upstream.sender import Outcome

pytestmark = pytest.mark.anyio

WINDOWS = Windows(owed=300.0, key=80_000.0, unknown=80_000.0)
NAME = b"f1"
ANSWER = Outcome(
    reply=Reply(200, b"application/json", b"{}", Format.JSON, Envelope(code=0, is_object=True), False, None)
)
LOST = Outcome(failure=AttemptError("reset", written=True, text="reset"))
UNSENT = Outcome(failure=AttemptError("connect", written=False, text="refused"))


def memory() -> MemoryFlights:
    return MemoryFlights(2**20, WINDOWS, lambda: 1000.0, answer_size)


class Suspending:
    """Memory behind some turns of the loop: nobody may count on finding what was there a moment ago."""

    near = None

    def __init__(self, *, always: int, to_lead: int) -> None:
        """Turns of every access, and of one that lets a flight go out: that one has to be safe on disk."""
        self.kept = memory()
        self._always, self._to_lead = always, to_lead

    def __len__(self) -> int:
        return len(self.kept)

    async def load(self, identity: Identity, *, guess: bool = False) -> Flight | None:
        found = await self.kept.load(identity)
        await turns(self._always)
        return found

    async def swap(
        self, identity: Identity, old: Flight | None, new: Flight | None, end: Ended | None = None
    ) -> bool:
        is_done = await self.kept.swap(identity, old, new)
        leads = new is not None and new.state is State.IN_FLIGHT
        if leads and (old is None or old.state is not State.IN_FLIGHT):
            await turns(self._to_lead)
        await turns(self._always)
        return is_done

    async def follow(self, identity: Identity, request_id: str) -> Ended | None:
        return await self.kept.follow(identity, request_id)


@dataclass
class Airport:
    """The driver, and a platform that answers when it is told to."""

    store: FlightStore
    owner: TaskOwner = field(default_factory=TaskOwner)
    ids: list[str] = field(default_factory=list)  # of each sending
    ends: "list[asyncio.Future[Outcome]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.flights = Flights(self.store, self.owner, WINDOWS, lambda: 1000.0)
        self._made = 0

    async def call(
        self,
        *,
        presence: Presence | None = None,
        deadline: float | None = None,
        replay: Replay = Replay.OWED,
        key: str | None = None,
    ) -> Landing:
        in_time = asyncio.get_running_loop().time() + 60
        arrival = Arrival(
            fingerprint=b"1",
            keyed=False,
            replay=replay,
            window=None,
            repeatable=True,
            new_id=self._new_id,
            token_mark=lambda _: b"",
            key=key,
        )
        return await self.flights.fly(
            NAME, arrival, self._send, in_time if deadline is None else deadline, presence or Presence()
        )

    async def answered_call(self) -> FlightRole:
        """A call of somebody who stays; whether it led. The platform answers at once."""
        calling = asyncio.create_task(self.call())
        await turns(20)
        self.end(ANSWER)
        landing = await calling
        await self.flights.handed(landing, reached=True)
        return landing.role

    def end(self, outcome: Outcome) -> None:
        for waiting in self.ends:
            if not waiting.done():
                waiting.set_result(outcome)

    def _new_id(self) -> str:
        self._made += 1
        return f"id-{self._made}"

    async def _send(self, flight: Flight) -> Outcome:
        self.ids.append(flight.request_id)
        self.ends.append(asyncio.get_running_loop().create_future())
        return await self.ends[-1]

    async def assert_nothing_left(self) -> None:
        assert await self.owner.finish(5) == 0
        await turns(2)
        assert (len(self.owner), len(self.flights)) == (0, 0)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture(
    params=[
        pytest.param(memory, id="memory"),
        pytest.param(lambda: Suspending(always=1, to_lead=0), id="far"),
        pytest.param(lambda: Suspending(always=0, to_lead=4), id="slow to lead"),
    ]
)
async def airport(request: pytest.FixtureRequest) -> Airport:
    make: Callable[[], FlightStore] = request.param
    return Airport(make())


@pytest.fixture
async def crowd(airport: Airport) -> "list[asyncio.Task[Landing]]":
    """Ten callers of one flight that is out."""
    calls = [asyncio.create_task(airport.call()) for _ in range(10)]
    await turns(100)
    assert len(airport.ids) == len(airport.flights) == 1
    return calls


Crowd = list[asyncio.Task[Landing]]


async def test_all_who_wait_are_woken_in_the_same_turn_of_the_loop(airport: Airport, crowd: Crowd) -> None:
    turn, woken = 0, list[int]()

    async def count_turns() -> None:
        nonlocal turn
        while len(woken) < len(crowd):
            turn += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    for call in crowd:
        call.add_done_callback(lambda _: woken.append(turn))
    airport.end(ANSWER)
    landings = await asyncio.gather(*crowd)
    await counting
    assert len(set(woken[1:])) == 1, "the first is the one who leads: it does not wait"
    assert [landing.role for landing in landings] == ["led", *["joined"] * 9]
    assert {landing.outcome.reply for landing in landings} == {ANSWER.reply}
    await airport.assert_nothing_left()


async def test_when_nothing_was_sent_all_are_told_and_nothing_is_remembered(
    airport: Airport, crowd: Crowd
) -> None:
    airport.end(UNSENT)
    landings = await asyncio.gather(*crowd)
    assert {(landing.outcome.failure, landing.unknown) for landing in landings} == {(UNSENT.failure, False)}
    assert await airport.flights.request_id(NAME) is None
    await airport.assert_nothing_left()


async def test_a_flight_that_is_sent_under_another_token_is_known_by_it(
    airport: Airport, crowd: Crowd
) -> None:
    await airport.flights.sent_under(NAME, "id-1", b"other")
    airport.end(LOST)
    await asyncio.gather(*crowd)
    with pytest.raises(CallError) as refused:
        await airport.call()
    assert (refused.value.kind, refused.value.request_id) == (errors.OUTCOME_UNKNOWN, "id-1")


async def test_another_flight_keeps_its_token(airport: Airport, crowd: Crowd) -> None:
    await airport.flights.sent_under(NAME, "id-0", b"other")
    airport.end(LOST)
    await asyncio.gather(*crowd)
    assert await airport.answered_call() == "led"


async def test_when_the_outcome_is_unknown_all_are_told_and_as_many_repeats_are_owed(
    airport: Airport, crowd: Crowd
) -> None:
    airport.end(LOST)
    assert all(landing.unknown for landing in await asyncio.gather(*crowd))
    roles = [await airport.answered_call() for _ in range(11)]
    assert roles == ["led", *["replayed"] * 9, "led"]
    assert airport.ids == ["id-1", "id-1", "id-2"]
    await airport.assert_nothing_left()


async def test_a_follower_has_its_own_deadline_and_the_flight_goes_on(airport: Airport, crowd: Crowd) -> None:
    late = await airport.call(deadline=asyncio.get_running_loop().time())
    assert (late.request_id, late.role, late.unknown) == ("id-1", "joined", True)
    assert isinstance(late.outcome.failure, AttemptError)
    assert late.outcome.failure.kind == "timeout"
    airport.end(ANSWER)
    for landing in await asyncio.gather(*crowd):
        await airport.flights.handed(landing, reached=True)
    assert [await airport.answered_call() for _ in range(2)] == ["replayed", "led"]
    await airport.assert_nothing_left()


async def test_a_caller_is_counted_once_when_it_leaves_and_then_misses_the_answer(airport: Airport) -> None:
    presence = Presence()
    leaving = asyncio.create_task(airport.call(presence=presence))
    await turns(20)
    presence.leave()
    await turns(20)
    airport.end(ANSWER)
    await airport.flights.handed(await leaving, reached=False)
    assert [await airport.answered_call() for _ in range(2)] == ["replayed", "led"]
    await airport.assert_nothing_left()


async def test_a_caller_that_was_gone_before_it_boarded_is_owed_the_answer(airport: Airport) -> None:
    presence = Presence()
    presence.leave()
    leaving = asyncio.create_task(airport.call(presence=presence))
    await turns(20)
    airport.end(ANSWER)
    await leaving
    assert [await airport.answered_call() for _ in range(2)] == ["replayed", "led"]
    await airport.assert_nothing_left()


@pytest.mark.parametrize("wait", range(14))
async def test_a_leader_cancelled_at_any_moment_leaves_nothing_that_would_run_twice(
    airport: Airport, wait: int
) -> None:
    """Only the end of the gateway cancels a call. What was sent is unknown then, and keeps its id."""
    leading = asyncio.create_task(airport.call())
    await turns(wait)
    leading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leading
    await turns(20)
    was_sent = len(airport.ids) == 1
    await airport.assert_nothing_left()
    assert [await airport.answered_call() for _ in range(2)] == ["led", "led"]
    first, *others = airport.ids
    assert others == ([first, others[-1]] if was_sent else [others[-1]])
    assert others[-1] != first
    assert await airport.store.load(NAME) is None


@pytest.mark.parametrize("wait", range(14))
async def test_a_follower_cancelled_at_any_moment_disturbs_nobody(airport: Airport, wait: int) -> None:
    leading = asyncio.create_task(airport.call())
    await turns(20)
    following = asyncio.create_task(airport.call())
    await turns(wait)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    await turns(20)
    airport.end(ANSWER)
    await airport.flights.handed(await leading, reached=True)
    assert len(airport.ids) == 1
    flight = await airport.store.load(NAME)
    roles = [await airport.answered_call() for _ in range(2)]
    assert roles == (["led", "led"] if flight is None else ["replayed", "led"])
    await airport.assert_nothing_left()


@pytest.mark.parametrize("wait", range(14))
async def test_who_comes_while_another_boards_joins(airport: Airport, wait: int) -> None:
    first = asyncio.create_task(airport.call())
    await turns(wait)
    second = asyncio.create_task(airport.call())
    await turns(20)
    airport.end(ANSWER)
    assert [(await first).role, (await second).role] == ["led", "joined"]
    assert len(airport.ids) == 1
    await airport.assert_nothing_left()


@pytest.mark.parametrize("wait", range(14))
async def test_who_comes_while_a_flight_lands_gets_its_answer_or_one_of_its_own(
    airport: Airport, wait: int
) -> None:
    first = asyncio.create_task(airport.call())
    await turns(20)
    airport.end(ANSWER)
    await turns(wait)
    second = asyncio.create_task(airport.call())
    await turns(20)
    airport.end(ANSWER)
    assert (await first).outcome == (await second).outcome == ANSWER
    assert (await second).role == ("joined" if len(airport.ids) == 1 else "led")
    await airport.assert_nothing_left()


async def test_when_the_gateway_stops_nobody_waits_for_ever(airport: Airport, crowd: Crowd) -> None:
    leading, *following = crowd
    leading.cancel()
    assert all(landing.unknown for landing in await asyncio.gather(*following))
    assert leading.cancelled()
    flight = await airport.store.load(NAME)
    assert flight is not None
    assert (flight.state, flight.owed) == (State.UNKNOWN, len(crowd))
    await airport.assert_nothing_left()


async def test_a_fault_of_the_gateway_counts_as_sent(
    airport: Airport, crowd: Crowd, caplog: pytest.LogCaptureFixture
) -> None:
    airport.ends[0].set_exception(ValueError("a fault"))
    assert all(landing.unknown for landing in await asyncio.gather(*crowd))
    assert "a flight failed inside the gateway" in caplog.text
    await airport.assert_nothing_left()


async def test_without_room_a_call_is_refused_and_not_sent() -> None:
    airport = Airport(MemoryFlights(0, WINDOWS, lambda: 1000.0, answer_size))
    with pytest.raises(CallError) as refused:
        await airport.call()
    assert refused.value.kind.status == 503
    assert airport.ids == []
    await airport.assert_nothing_left()
