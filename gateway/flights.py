"""Drives flights: one execution on the platform for all identical modifying calls that belong together.

`policy.flight` decides, a store remembers, and this awaits. Who waits is woken by the end itself, all in the
same turn of the loop; nothing polls. The call that leads a flight carries it out in its own task, which goes
on when its caller leaves: a caller is told of, never cancelled (`presence`); only the end of the gateway
cancels, and ends the flight as one whose outcome is unknown. A flight that another process leads is followed
through the store; when that process died, its callers board again. Refuses to know what a call is made of,
and what the platform's answer means beyond its code.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec

from gateway import errors
from gateway.errors import CallError, StoreAwayError
from gateway.landing import Landing, event_of, interrupted, told
from gateway.policy import flight as policy
from gateway.policy.flight import (
    IN_FLIGHT,
    LOST,
    UNKNOWN,
    Again,
    Arrival,
    Ended,
    Flight,
    Join,
    Lead,
    Refusal,
    Refuse,
    Windows,
)
from gateway.presence import Presence
from gateway.records import FlightRole
from gateway.stores.flights import FlightStore, Identity, LeaseLostError, NearFlights, StoreFullError
from gateway.stores.patience import start_anew
from gateway.tasks import TaskOwner
from gateway.turns import Turns
from gateway.upstream.client import AttemptError
from gateway.upstream.sender import Outcome

log = logging.getLogger(__name__)

Send = Callable[[Flight], Coroutine[Any, Any, Outcome]]
"""Sends the call of a flight, and has ended by the call's deadline; never raises for what the platform or the
network does."""

_Landed = Landing | None
"""None: whoever led the flight, in another process, is gone, and it is to be boarded again."""

_Waiting = list["asyncio.Future[_Landed]"]
"""Those who wait for the end of one flight, each for itself: hardly any flight has one."""


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
        self._near = store.near  # not None: what it remembers changes in one step, without awaiting
        self._owner = owner
        self._windows = windows
        self._now = now
        self._out: dict[Identity, _Waiting] = {}
        # A store may suspend: whoever finds a flight there has to find it in `_out` as well.
        self._turns: Turns[Identity] = Turns()

    def __len__(self) -> int:
        """How many are out."""
        return len(self._out)

    async def fly(
        self, identity: Identity, call: Arrival, send: Send, deadline: float, presence: Presence
    ) -> Landing:
        """The end of the flight that the call leads or joins, or that ended before. Raises CallError.

        After it, `handed` has to be told whether the caller got the answer.
        """
        near = self._near
        while True:
            if near is not None:
                decision = self._board_at_once(near, identity, call)
            else:
                decision = await self._board(identity, call)
            flight = decision.flight
            if isinstance(decision, Again):
                outcome = Outcome(reply=flight.answer)
                return Landing(identity, flight.request_id, "replayed", outcome, False, call.replay)
            waiting = self._out[identity]
            presence.watch(partial(self._left, identity, flight.request_id))
            try:
                if isinstance(decision, Lead):
                    landed: _Landed = await self._lead(identity, flight, send, waiting)
                else:
                    landed = await self._wait(identity, flight.request_id, waiting, deadline, presence)
            finally:
                presence.unwatch()
            if landed is not None:
                break
        role: FlightRole = "led" if isinstance(decision, Lead) else "joined"
        if role == landed.role and call.replay is landed.replay and not presence.is_gone:
            return landed
        wants_to_know = None if presence.is_gone else landed.identity  # who has left was told of already
        return msgspec.structs.replace(landed, identity=wants_to_know, role=role, replay=call.replay)

    def _note(self, identity: Identity, decision: Lead | Join | Again) -> None:
        """Have a flight that is out among those that are, with all who are told how it ends."""
        if isinstance(decision, Lead):
            self._out[identity] = []
        elif isinstance(decision, Join) and identity not in self._out:
            waiting = self._out[identity] = []
            self._owner.start(self._follow(identity, decision.flight.request_id, waiting), "follow a flight")

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
        """A flight that nobody joins and nobody remembers."""
        flight = policy.first(call, self._now())
        outcome = await send(flight)
        unknown = event_of(flight, outcome) is LOST
        return Landing(None, flight.request_id, "led", outcome, unknown)

    async def handed(self, landing: Landing, *, reached: bool) -> None:
        """The caller of `fly` was handed the answer, or was gone by then."""
        identity = landing.identity
        if identity is None:
            return
        if self._near is not None:
            if (old := self._near.find(identity)) is not None:
                self._near.put(identity, _handed(old, landing, reached=reached))
            return
        start_anew()  # the caller has its answer
        guess = True
        if not self._turns.take(identity):
            await self._turns.wait(identity)
        try:
            while (old := await self._store.load(identity, guess=guess)) is not None:
                if await self._store.swap(identity, old, _handed(old, landing, reached=reached)):
                    return
                guess = False
        finally:
            self._turns.leave(identity)

    def _board_at_once(self, near: NearFlights, identity: Identity, call: Arrival) -> Lead | Join | Again:
        """Decide what becomes of the call, and have it remembered. Raises CallError."""
        decision = policy.arrive(near.find(identity), call, self._now(), self._windows)
        if isinstance(decision, Refuse):
            raise _refusal(decision)
        try:
            near.put(identity, decision.flight)
        except StoreFullError as error:
            raise _no_room() from error
        self._note(identity, decision)
        return decision

    async def _board(self, identity: Identity, call: Arrival) -> Lead | Join | Again:
        """Decide what becomes of the call, and have it remembered in a store that may suspend. When another
        call has changed the flight in between, decide anew. Raises CallError."""
        if not self._turns.take(identity):
            await self._turns.wait(identity)
        try:
            guess = True
            while True:
                old = await self._store.load(identity, guess=guess)
                guess = False
                decision = policy.arrive(old, call, self._now(), self._windows)
                if isinstance(decision, Refuse):
                    raise _refusal(decision)
                if await self._is_remembered(identity, old, decision):
                    self._note(identity, decision)
                    return decision
        finally:
            self._turns.leave(identity)

    async def _is_remembered(
        self, identity: Identity, old: Flight | None, decision: Lead | Join | Again
    ) -> bool:
        try:
            return await self._store.swap(identity, old, decision.flight)
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
        waiting: _Waiting,
        deadline: float,
        presence: Presence,
    ) -> _Landed:
        """Wait as long as this caller may; the flight does not care."""
        told: asyncio.Future[_Landed] = asyncio.get_running_loop().create_future()
        waiting.append(told)
        try:
            async with asyncio.timeout_at(deadline):
                return await told
        except TimeoutError:
            if not presence.is_gone:
                self._left(identity, request_id)
            failure = AttemptError("timeout", written=True, text="the platform did not answer in time")
            return Landing(None, request_id, "led", Outcome(failure=failure), unknown=True)
        except asyncio.CancelledError:
            if not presence.is_gone:
                self._left(identity, request_id)
            raise

    def _left(self, identity: Identity, request_id: str) -> None:
        """A caller went before the end: it is owed the answer."""
        self._owner.start(self._leave(identity, request_id), "leave a flight")

    async def _leave(self, identity: Identity, request_id: str) -> None:
        start_anew()
        while (old := await self._store.load(identity)) is not None:
            if await self._store.swap(identity, old, policy.handed(old, request_id, reached=False)):
                return

    async def _lead(self, identity: Identity, flight: Flight, send: Send, waiting: _Waiting) -> Landing:
        """Carry it out, and have its end remembered before anybody is told."""
        outcome: Outcome | None = None
        try:
            outcome = await send(flight)
        except Exception as fault:
            log.error("a flight failed inside the gateway", exc_info=fault)
        finally:
            # Also when the process ends: nobody may wait for ever.
            if outcome is None:
                outcome = interrupted()
            if self._near is not None:
                unknown = self._land_at_once(self._near, identity, flight, outcome)
                landed = Landing(identity, flight.request_id, "led", outcome, unknown)
                self._end(identity, waiting, landed)
            else:
                landed = await self._land_in_turn(identity, flight, outcome, waiting)
        return landed

    async def _land_in_turn(
        self, identity: Identity, flight: Flight, outcome: Outcome, waiting: _Waiting
    ) -> Landing:
        if not self._turns.take(identity):
            await self._turns.wait(identity)
        try:
            unknown = await self._land(identity, flight, outcome)
            landed = Landing(identity, flight.request_id, "led", outcome, unknown)
            self._end(identity, waiting, landed)
        finally:
            self._turns.leave(identity)
        return landed

    async def _follow(self, identity: Identity, request_id: str, waiting: _Waiting) -> None:
        landed: _Landed = None
        try:
            ended = await self._store.follow(identity, request_id)
            if ended is not None:
                outcome, unknown = told(ended)
                landed = Landing(identity, request_id, "joined", outcome, unknown)
        finally:
            self._end(identity, waiting, landed)

    def _end(self, identity: Identity, waiting: _Waiting, landed: _Landed) -> None:
        if self._out.get(identity) is waiting:
            del self._out[identity]
        for waiter in waiting:
            if not waiter.done():  # else it has left, or its time was over
                waiter.set_result(landed)

    def _land_at_once(self, near: NearFlights, identity: Identity, flight: Flight, outcome: Outcome) -> bool:
        """Have the end remembered. Returns whether the platform may have run the call without an answer."""
        event = event_of(flight, outcome)
        old = near.find(identity)
        if old is None or old.request_id != flight.request_id or old.state is not IN_FLIGHT:
            return event is LOST
        new = policy.landed(old, event, self._now(), outcome.reply)
        near.put(identity, new)
        return new is not None and new.state is UNKNOWN

    async def _land(
        self, identity: Identity, flight: Flight, outcome: Outcome, *, guess: bool = True
    ) -> bool:
        """Have the end remembered in a store that may suspend. Returns whether the platform may have run the
        call without an answer."""
        event = event_of(flight, outcome)
        while (old := await self._store.load(identity, guess=guess)) is not None:
            if old.request_id != flight.request_id or old.state is not IN_FLIGHT:
                break
            new = policy.landed(old, event, self._now(), outcome.reply)
            unknown = new is not None and new.state is UNKNOWN
            try:
                if await self._store.swap(identity, old, new, Ended(outcome, unknown)):
                    return unknown
            except LeaseLostError:
                break
            guess = False
        return event is LOST


def _handed(old: Flight, landing: Landing, *, reached: bool) -> Flight | None:
    """What is left to remember once a caller was handed the answer, or was gone."""
    if reached and policy.is_last(old, landing.request_id, landing.replay):
        return None
    new = policy.handed(old, landing.request_id, reached=reached)
    return None if policy.is_spent(new, landing.replay) else new


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
