"""Modifying calls: one flight for identical ones, and a fence around it for the cache.

The fence is the promise that nobody reads a state older than a finished write: the write's tags change before
its first byte is sent, and again before any of its callers is answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from gateway import presentation
from gateway.account import Account, token_mark
from gateway.call import Request, Trail
from gateway.catalogue.model import Effect, Repeats
from gateway.errors import CallError, StoreAwayError
from gateway.flights import Flights, store_away
from gateway.landing import Landing, event_of
from gateway.letter import Letter
from gateway.offload import Offload
from gateway.policy.flight import LOST, Arrival, Event, Flight
from gateway.policy.tags import TagRule
from gateway.records import FlightOutcome
from gateway.stores.cache import CacheStore, Tags, scoped
from gateway.stores.flights import Identity
from gateway.tokens.keeper import Token
from gateway.upstream.client import Outgoing
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome

_OUTCOMES: Mapping[Event, FlightOutcome] = {
    Event.ANSWER: "answered",
    Event.NOTHING_SENT: "not_sent",
    Event.LOST: "unknown",
}


_scoped = lru_cache(maxsize=1024)(scoped)  # most writes change what others changed a moment ago
_CONTENT, _TASK = Repeats.CONTENT, Effect.TASK


@dataclass(frozen=True, slots=True)
class WriteRules:
    """The settings of modifying calls. Times in seconds."""

    dedup: bool
    lease: float  # longer than any call lasts
    settle: float  # how long nothing is kept where the platform goes on changing, or may


@dataclass(frozen=True, slots=True)
class Writes:
    """Answers modifying calls."""

    flights: Flights
    cache: CacheStore
    offload: Offload
    rules: WriteRules
    tag_rules: Mapping[str, TagRule]  # by the method's name; unknown methods have none
    flight_ended: Callable[[str, FlightOutcome], None]

    async def answer(self, account: Account, request: Request, deadline: float, trail: Trail) -> Reply:
        """The platform's reply: the call's own, or that of the flight it belongs to. Raises CallError."""
        token = account.token(request.method)
        identity, keyed = b"f" + request.fingerprint, False
        if request.key is not None:
            identity, keyed = await self._identity(account, request, request.key)
        write = _Write(self, account, request, token, identity, deadline, trail)
        arrival = write.arrival(keyed=keyed)
        try:
            if self.rules.dedup:
                landing = await self.flights.fly(identity, arrival, write.send, deadline, trail.presence)
            else:
                landing = await self.flights.alone(arrival, write.send)
        except asyncio.CancelledError:
            # The gateway ends, and the flight may be out: its caller is to be told so, and under which id.
            trail.flight = "led"
            trail.request_id = await self.flights.request_id(identity) or trail.request_id
            raise
        _note(landing, trail)
        if landing.unknown or landing.outcome.reply is None:
            raise presentation.failure(
                landing.outcome, modifies=True, unknown=landing.unknown, repeatable=account.repeatable
            )
        trail.landing = landing
        return landing.outcome.reply

    def handed(self, landing: Landing, *, reached: bool) -> Awaitable[None]:
        """Whether the caller got the answer: if not, it is owed to it."""
        return self.flights.handed(landing, reached=reached)

    async def _identity(self, account: Account, request: Request, key: str) -> tuple[Identity, bool]:
        """What the flight of a call with a key is remembered under, and whether that is the key: it belongs
        to its account.

        A caller that was told "outcome unknown" may repeat the call with the id that it was told: that is
        still the flight without a key.
        """
        without_key = b"f" + request.fingerprint
        if await self.flights.request_id(without_key) == key:
            return without_key, False
        return b"k" + account.name.encode() + b"\0" + key.encode(), True

    def tags(self, account: Account, request: Request) -> Tags:
        """What the call changes."""
        rule = self.tag_rules.get(request.method.name) or TagRule.of(request.method)
        return _scoped(account.base_url, rule.tags(request.body_only_fields()))


class _Write(msgspec.Struct, frozen=True):
    """One modifying call, with all that its flight takes."""

    writes: Writes
    account: Account
    request: Request
    token: Token | None
    identity: Identity
    deadline: float
    trail: Trail

    def arrival(self, *, keyed: bool) -> Arrival:
        request = self.request
        method, fingerprint, key = request.method, request.fingerprint, request.key
        names_itself = method.repeats is _CONTENT and key is None
        return Arrival(
            fingerprint=fingerprint,
            keyed=keyed,
            replay=method.replay,
            window=method.window,
            repeatable=self.account.repeatable,
            new_id=fingerprint.hex if names_itself else self.own_id,
            token_mark=self.mark,
            key=key,
        )

    def own_id(self) -> str:
        """As new as the call, or its caller's key."""
        return self.trail.request_id

    def mark(self, request_id: str) -> bytes:
        return token_mark(self.token, request_id)

    async def send(self, flight: Flight) -> Outcome:
        """As this flight: the one execution, counted."""
        writes, trail, request_id = self.writes, self.trail, flight.request_id
        trail.request_id = request_id
        letter = Letter(
            self.account, self.request, self.token, request_id, writes.offload, self._sent_under, trail.trace
        )
        event = LOST
        try:
            outgoing = letter.at_once() or await letter.written()
            outcome, event = await self._fenced(letter, outgoing, flight)
        except CallError as refused:
            outcome = Outcome(failure=refused)  # by the writer: the platform's format cannot carry a value
            event = event_of(flight, outcome)
        except StoreAwayError:  # by the cache, before anything was sent
            outcome = Outcome(failure=store_away())
            event = event_of(flight, outcome)
        finally:
            writes.flight_ended(self.request.method.label, _OUTCOMES[event])
        return outcome

    async def _fenced(self, letter: Letter, outgoing: Outgoing, flight: Flight) -> tuple[Outcome, Event]:
        """Inside the fence. Returns also what the outcome is for the flight."""
        account, request, rules, cache = self.account, self.request, self.writes.rules, self.writes.cache
        mark = await cache.begin_write(self.writes.tags(account, request), rules.lease)
        event = LOST
        try:
            outcome = await account.sender.send(
                outgoing, self.deadline, sent_before=flight.written, rewrite=letter.rewritten
            )
            event = event_of(flight, outcome)
        finally:
            goes_on = event is LOST or request.method.effect is _TASK
            await cache.end_write(mark, rules.settle if goes_on else 0.0)
        return outcome, event

    async def _sent_under(self, other: Token) -> None:
        """The platform rejected the token; the call is about to go out under another."""
        request_id = self.trail.request_id
        await self.writes.flights.sent_under(self.identity, request_id, token_mark(other, request_id))


def _note(landing: Landing, trail: Trail) -> None:
    role, outcome = landing.role, landing.outcome
    trail.flight, trail.request_id = role, landing.request_id
    if role == "led":
        trail.origin = "upstream"
        trail.attempts = outcome.attempts
        trail.queue_seconds = outcome.queue_seconds
        trail.upstream_seconds = outcome.upstream_seconds
    else:
        trail.origin = role
        trail.linked = outcome.trace
