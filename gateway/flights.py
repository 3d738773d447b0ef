"""Drives flights: one execution on the platform for all identical modifying calls that belong together.

`policy.flight` decides, a store remembers, and this awaits. Who waits is woken by the end itself, all in the
same turn of the loop; nothing polls. A flight is a task of its own: it goes on when its callers leave.
Refuses to know what a call is made of, and what the platform's answer means beyond its code.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from gateway import errors
from gateway.catalogue.model import Replay
from gateway.errors import CallError
from gateway.policy import flight as policy
from gateway.policy.flight import Again, Arrival, Event, Flight, Join, Lead, Refusal, Refuse, State, Windows
from gateway.presence import Presence
from gateway.records import FlightRole
from gateway.stores.flights import FlightStore, Identity, StoreFullError
from gateway.tasks import TaskOwner
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome

Send = Callable[[Flight], Coroutine[Any, Any, Outcome]]
"""Sends the call of a flight; never raises for what the platform or the network does."""


class Landing(msgspec.Struct, frozen=True, gc=False):
    """How a call's flight ended, for one of its callers."""

    identity: Identity | None  # None: no flight wants to know whether the caller got the answer
    request_id: str
    role: FlightRole
    outcome: Outcome
    unknown: bool  # whether the platform ran it cannot be told
    replay: Replay = Replay.OWED


class Flights:
    """The flights of the process. `now` is wall-clock seconds, deadlines are the loop's."""

    def __init__(
        self,
        store: FlightStore,
        owner: TaskOwner,
        windows: Windows,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._owner = owner
        self._windows = windows
        self._now = now
        self._out: dict[Identity, asyncio.Future[Landing]] = {}
        # A store may suspend: whoever finds a flight there has to find it in `_out` as well.
        self._turns: WeakValueDictionary[Identity, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        """How many are out."""
        return len(self._out)

    async def fly(
        self, identity: Identity, call: Arrival, send: Send, deadline: float, presence: Presence
    ) -> Landing:
        """The end of the flight that the call leads or joins, or that ended before. Raises CallError.

        After it, `handed` has to be told whether the caller got the answer.
        """
        async with self._turn(identity):
            decision = await self._board(identity, call)
            match decision:
                case Lead(flight):
                    landing = self._out[identity] = asyncio.get_running_loop().create_future()
                    self._owner.start(self._lead(identity, flight, send, landing), "flight")
                case Join():
                    landing = self._out[identity]
                case Again(flight):
                    return Landing(
                        identity,
                        flight.request_id,
                        "replayed",
                        Outcome(reply=flight.answer),
                        unknown=False,
                        replay=call.replay,
                    )
        landed = await self._wait(identity, decision.flight.request_id, landing, deadline, presence)
        role: FlightRole = "led" if isinstance(decision, Lead) else "joined"
        if role == landed.role and call.replay is landed.replay:
            return landed
        return msgspec.structs.replace(landed, role=role, replay=call.replay)

    async def sent_under(self, identity: Identity, request_id: str, token_mark: bytes) -> None:
        """The flight that is out is to be sent under another token: the platform rejected the first."""
        while (old := await self._store.load(identity)) is not None and old.request_id == request_id:
            if await self._store.swap(identity, old, msgspec.structs.replace(old, token_mark=token_mark)):
                return

    def resize(self, max_bytes: int, windows: Windows) -> None:
        """Another bound and other times from now on, after a reload; for what is remembered already too."""
        self._windows = windows
        self._store.resize(max_bytes, windows)

    async def request_id(self, identity: Identity) -> str | None:
        """The id of the flight that is remembered under `identity`."""
        flight = await self._store.load(identity)
        if flight is None or self._now() >= policy.expires_at(flight, self._windows):
            return None
        return flight.request_id

    async def alone(self, call: Arrival, send: Send) -> Landing:
        """A flight that nobody joins and nobody remembers; it outlives its caller all the same."""
        flight = policy.first(call, self._now())
        outcome = await asyncio.shield(self._owner.start(send(flight), "flight"))
        unknown = event_of(flight, outcome) is Event.LOST
        return Landing(None, flight.request_id, "led", outcome, unknown)

    async def handed(self, landing: Landing, *, reached: bool) -> None:
        """The caller of `fly` was handed the answer, or was gone by then."""
        if landing.identity is None:
            return
        while (old := await self._store.load(landing.identity)) is not None:
            new: Flight | None = policy.handed(old, landing.request_id, reached=reached)
            if new is not None and policy.is_spent(new, landing.replay):
                new = None
            if await self._store.swap(landing.identity, old, new):
                return

    def _turn(self, identity: Identity) -> asyncio.Lock:
        return self._turns.setdefault(identity, asyncio.Lock())

    async def _board(self, identity: Identity, call: Arrival) -> Lead | Join | Again:
        """Decide, and have it remembered."""
        while True:
            old = await self._store.load(identity)
            decision = policy.arrive(old, call, self._now(), self._windows)
            if isinstance(decision, Refuse):
                raise _refusal(decision)
            try:
                if await self._store.swap(identity, old, decision.flight):
                    return decision
            except StoreFullError as error:
                raise _no_room() from error
            except asyncio.CancelledError:
                await asyncio.shield(self._owner.start(self._get_off(identity, decision), "leave a flight"))
                raise

    async def _get_off(self, identity: Identity, decision: Lead | Join | Again) -> None:
        """The call was cancelled while it boarded. A flight that it was to lead never goes out."""
        if isinstance(decision, Lead):
            await self._land(identity, Event.NOTHING_SENT, None)
        else:
            await self._leave(identity, decision.flight.request_id)

    async def _wait(
        self,
        identity: Identity,
        request_id: str,
        landing: "asyncio.Future[Landing]",
        deadline: float,
        presence: Presence,
    ) -> Landing:
        """Wait as long as this caller may; the flight does not care."""
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if not has_left:
                has_left = True
                self._owner.start(self._leave(identity, request_id), "leave a flight")

        presence.watch(leave)
        try:
            async with asyncio.timeout_at(deadline):
                landed = await asyncio.shield(landing)
        except TimeoutError:
            leave()
            failure = AttemptError("timeout", written=True, text="the platform did not answer in time")
            return Landing(None, request_id, "led", Outcome(failure=failure), unknown=True)
        except asyncio.CancelledError:
            leave()
            raise
        finally:
            presence.unwatch()
        return msgspec.structs.replace(landed, identity=None) if has_left else landed

    async def _leave(self, identity: Identity, request_id: str) -> None:
        """A caller went before the end: it is owed the answer."""
        while (old := await self._store.load(identity)) is not None:
            if await self._store.swap(identity, old, policy.handed(old, request_id, reached=False)):
                return

    async def _lead(
        self, identity: Identity, flight: Flight, send: Send, landing: "asyncio.Future[Landing]"
    ) -> None:
        outcome = interrupted()
        try:
            outcome = await send(flight)
        finally:
            # Also when the process ends or something in here is at fault: nobody may wait for ever.
            async with self._turn(identity):
                ended = await self._land(identity, event_of(flight, outcome), outcome.reply)
                del self._out[identity]
                unknown = ended is not None and ended.state is State.UNKNOWN
                landing.set_result(Landing(identity, flight.request_id, "led", outcome, unknown))

    async def _land(self, identity: Identity, event: Event, answer: Reply | None) -> Flight | None:
        while (old := await self._store.load(identity)) is not None:
            new = policy.landed(old, event, self._now(), answer)
            if await self._store.swap(identity, old, new):
                return new
        return None


def interrupted() -> Outcome:
    """Of a call that was ended from outside: how far it came is unknown."""
    return Outcome(failure=AttemptError("reset", written=True, text="the gateway was stopped"))


def event_of(flight: Flight, outcome: Outcome) -> Event:
    """What an outcome is for the flight. What was lost before stays lost, whatever this says of itself."""
    if outcome.reply is not None and not outcome.reply.rejects_token:  # such a call was not run
        return Event.ANSWER
    return Event.LOST if outcome.written or outcome.lost or flight.written else Event.NOTHING_SENT


_REFUSALS = {
    Refusal.KEY_REUSED: (errors.KEY_REUSED, "this Request-ID was sent before with another call"),
    Refusal.OUTCOME_UNKNOWN: (
        errors.OUTCOME_UNKNOWN,
        "the outcome of this call is unknown, and it cannot be repeated safely any more: "
        "check first, then send it with a new Request-ID",
    ),
    Refusal.ANSWER_GONE: (
        errors.ANSWER_GONE,
        "this call was answered before, and the answer is no longer kept: "
        "check first, then send it with a new Request-ID",
    ),
}


def _refusal(refused: Refuse) -> CallError:
    kind, text = _REFUSALS[refused.reason]
    return CallError(kind, text, request_id=refused.request_id)


def _no_room() -> CallError:
    return CallError(
        errors.OVERLOADED, "no room to remember another call; nothing was sent", {"Retry-After": "5"}
    )
