"""Drives flights: one execution on the platform for all identical modifying calls that belong together.

`policy.flight` decides, a store remembers, and this awaits. Who waits is woken by the end itself, all in the
same turn of the loop; nothing polls. A flight is a task of its own: it goes on when its callers leave. One
that another process leads is followed through the store; when that process died, its callers board again.
Refuses to know what a call is made of, and what the platform's answer means beyond its code.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from gateway import errors
from gateway.catalogue.model import Replay
from gateway.errors import CallError, StoreAwayError
from gateway.policy import flight as policy
from gateway.policy.flight import (
    Again,
    Arrival,
    Ended,
    Event,
    Flight,
    Join,
    Lead,
    Refusal,
    Refuse,
    State,
    Windows,
)
from gateway.presence import Presence
from gateway.records import FlightRole
from gateway.stores.flights import FlightStore, Identity, LeaseLostError, StoreFullError
from gateway.stores.patience import start_anew
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


_Landed = Landing | None
"""None: whoever led the flight is gone, and it is to be boarded again."""


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
        self._out: dict[Identity, asyncio.Future[_Landed]] = {}
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
        while True:
            async with self._turn(identity):
                decision = await self._board(identity, call)
                if isinstance(decision, Again):
                    return _replayed(identity, decision.flight, call)
                landing = self._landing(identity, decision, send)
            landed = await self._wait(identity, decision.flight.request_id, landing, deadline, presence)
            if landed is not None:
                break
        role: FlightRole = "led" if isinstance(decision, Lead) else "joined"
        if role == landed.role and call.replay is landed.replay:
            return landed
        return msgspec.structs.replace(landed, role=role, replay=call.replay)

    def _landing(self, identity: Identity, decision: Lead | Join, send: Send) -> "asyncio.Future[_Landed]":
        """What tells how the flight ends."""
        landing = self._out.get(identity)
        if landing is not None and isinstance(decision, Join):
            return landing
        landing = self._out[identity] = asyncio.get_running_loop().create_future()
        if isinstance(decision, Lead):
            self._owner.start(self._lead(identity, decision.flight, send, landing), "flight")
        else:
            self._owner.start(self._follow(identity, decision.flight.request_id, landing), "follow a flight")
        return landing

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
        start_anew()  # the caller has its answer
        guess = True
        async with self._turn(landing.identity):
            while (old := await self._store.load(landing.identity, guess=guess)) is not None:
                new: Flight | None = policy.handed(old, landing.request_id, reached=reached)
                if new is not None and policy.is_spent(new, landing.replay):
                    new = None
                if await self._store.swap(landing.identity, old, new):
                    return
                guess = False

    def _turn(self, identity: Identity) -> asyncio.Lock:
        return self._turns.setdefault(identity, asyncio.Lock())

    async def _board(self, identity: Identity, call: Arrival) -> Lead | Join | Again:
        """Decide, and have it remembered."""
        guess = True
        while True:
            old = await self._store.load(identity, guess=guess)
            guess = False
            decision = policy.arrive(old, call, self._now(), self._windows)
            if isinstance(decision, Refuse):
                raise _refusal(decision)
            try:
                if await self._store.swap(identity, old, decision.flight):
                    return decision
            except StoreFullError as error:
                raise _no_room() from error
            except StoreAwayError as error:
                raise store_away() from error
            except asyncio.CancelledError:
                await asyncio.shield(self._owner.start(self._get_off(identity, decision), "leave a flight"))
                raise

    async def _get_off(self, identity: Identity, decision: Lead | Join | Again) -> None:
        """The call was cancelled while it boarded. A flight that it was to lead never goes out."""
        if isinstance(decision, Lead):
            await self._land(identity, decision.flight, interrupted(sent=False), guess=False)
        else:
            await self._leave(identity, decision.flight.request_id)

    async def _wait(
        self,
        identity: Identity,
        request_id: str,
        landing: "asyncio.Future[_Landed]",
        deadline: float,
        presence: Presence,
    ) -> _Landed:
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
        if landed is None or not has_left:
            return landed
        return msgspec.structs.replace(landed, identity=None)

    async def _leave(self, identity: Identity, request_id: str) -> None:
        """A caller went before the end: it is owed the answer."""
        start_anew()
        while (old := await self._store.load(identity)) is not None:
            if await self._store.swap(identity, old, policy.handed(old, request_id, reached=False)):
                return

    async def _lead(
        self, identity: Identity, flight: Flight, send: Send, landing: "asyncio.Future[_Landed]"
    ) -> None:
        outcome = interrupted()
        try:
            outcome = await send(flight)
        finally:
            # Also when the process ends or something in here is at fault: nobody may wait for ever.
            async with self._turn(identity):
                unknown = await self._land(identity, flight, outcome)
                self._end(identity, landing, Landing(identity, flight.request_id, "led", outcome, unknown))

    async def _follow(self, identity: Identity, request_id: str, landing: "asyncio.Future[_Landed]") -> None:
        landed: _Landed = None
        try:
            ended = await self._store.follow(identity, request_id)
            if ended is not None:
                outcome, unknown = _told(ended)
                landed = Landing(identity, request_id, "joined", outcome, unknown)
        finally:
            self._end(identity, landing, landed)

    def _end(self, identity: Identity, landing: "asyncio.Future[_Landed]", landed: _Landed) -> None:
        if self._out.get(identity) is landing:
            del self._out[identity]
        landing.set_result(landed)

    async def _land(
        self, identity: Identity, flight: Flight, outcome: Outcome, *, guess: bool = True
    ) -> bool:
        """Have the end remembered. Returns whether the platform may have run the call without an answer."""
        event = event_of(flight, outcome)
        while (old := await self._store.load(identity, guess=guess)) is not None:
            if old.request_id != flight.request_id or old.state is not State.IN_FLIGHT:
                break
            new = policy.landed(old, event, self._now(), outcome.reply if event is Event.ANSWER else None)
            unknown = new is not None and new.state is State.UNKNOWN
            try:
                if await self._store.swap(identity, old, new, Ended(outcome, unknown)):
                    return unknown
            except LeaseLostError:
                break
            guess = False
        return event is Event.LOST


def interrupted(*, sent: bool = True) -> Outcome:
    """Of a call that was ended from outside: how far it came is unknown, unless it was not sent at all."""
    return Outcome(failure=AttemptError("reset", written=sent, text="the gateway was stopped"))


def _replayed(identity: Identity, flight: Flight, call: Arrival) -> Landing:
    outcome = Outcome(reply=flight.answer)
    return Landing(identity, flight.request_id, "replayed", outcome, unknown=False, replay=call.replay)


def _told(ended: Ended) -> tuple[Outcome, bool]:
    """What another process says of a flight that it led; when it cannot be had any more, it is unknown."""
    match ended.outcome:
        case Outcome() as outcome:
            return outcome, ended.unknown
        case Reply() as reply:
            return Outcome(reply=reply), False
        case _:
            text = "the gateway that sent the call has not said what came of it"
            return Outcome(failure=AttemptError("reset", written=True, text=text)), True


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


def store_away() -> CallError:
    """Of a call that is refused since nobody can remember it for all gateways."""
    return CallError(
        errors.STORE_AWAY, "calls cannot be remembered at the moment; nothing was sent", {"Retry-After": "1"}
    )
