"""The flight of a modifying call: one execution on the platform, however often the call is sent to the
gateway.

Theory. The platform runs a call once for each `Request-ID` (and token). The gateway gives each *flight* one
such id and remembers, by the call's identity, what became of it:

    absent ──lead──▶ in flight ──answer──▶ answered ──time──▶ absent
                      │  ▲  └──nothing sent──▶ absent
                    lost │
                      ▼  │ lead again, same id
                     unknown

An identical call that comes while the flight is out *joins* it. One that comes after the answer gets it again
(*replay*) in two cases: it carries the same key as the first, or an answer is *owed*. Without a key nothing
tells a retry from an honest second call but this: was every caller handed its answer? A caller that left, ran
into its deadline or was told "outcome unknown" is owed one; the next identical call takes it. So it is by
count: one call for one caller. When nothing is owed, an identical call is a new one: two equal purchases
count twice.

A flight whose outcome is unknown is only ever led again under the same id and the same token, so that the
platform recognises it; where it cannot, the call is refused.

Pure: values in, values out. Times are wall-clock seconds, since a journal carries them across a restart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from gateway.catalogue.model import Replay

DAY = 23 * 3600.0
"""The platform forgets an id after a day; the gateway stops relying on it an hour before."""


class State(StrEnum):
    """What is known of a flight. A flight that is not remembered is ABSENT."""

    ABSENT = "absent"
    IN_FLIGHT = "in_flight"
    ANSWERED = "answered"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """What can happen to a flight."""

    LEAD = "lead"  # a call is sent under its id, for the first time or again
    JOIN = "join"
    REPLAY = "replay"
    ANSWER = "answer"  # the platform answered, with success or an error code
    NOTHING_SENT = "nothing_sent"  # it ended, and no attempt under its id was ever written
    LOST = "lost"  # it ended without an answer after something was written
    EXPIRE = "expire"


# Named apart: read from its class, a member costs twenty times as much (Python 3.11), and every call asks.
IN_FLIGHT, ANSWERED, UNKNOWN = State.IN_FLIGHT, State.ANSWERED, State.UNKNOWN
ANSWER, NOTHING_SENT, LOST = Event.ANSWER, Event.NOTHING_SENT, Event.LOST

NEXT: Mapping[tuple[State, Event], State] = MappingProxyType(
    {
        (State.ABSENT, Event.LEAD): State.IN_FLIGHT,
        (State.IN_FLIGHT, Event.JOIN): State.IN_FLIGHT,
        (State.IN_FLIGHT, Event.ANSWER): State.ANSWERED,
        (State.IN_FLIGHT, Event.NOTHING_SENT): State.ABSENT,
        (State.IN_FLIGHT, Event.LOST): State.UNKNOWN,
        (State.UNKNOWN, Event.LEAD): State.IN_FLIGHT,
        (State.UNKNOWN, Event.EXPIRE): State.ABSENT,
        (State.ANSWERED, Event.REPLAY): State.ANSWERED,
        (State.ANSWERED, Event.LEAD): State.IN_FLIGHT,
        (State.ANSWERED, Event.EXPIRE): State.ABSENT,
    }
)
"""All that may happen. A pair that is not here is a fault of the gateway: a KeyError, not a guess."""

_FIRST = NEXT[State.ABSENT, Event.LEAD]
_ALWAYS = Replay.ALWAYS


class Flight(msgspec.Struct, frozen=True):
    """What is remembered of one flight."""

    state: State
    request_id: str
    fingerprint: bytes
    keyed: bool  # its identity is the caller's key, not the fingerprint
    token_mark: bytes  # tells whether the token is still the same, without keeping it
    began: float  # when the first byte under the id may have gone out
    ended: float = 0.0
    written: bool = False  # an attempt under the id was written and got no answer
    pending: int = 0  # callers that wait, or that are being handed the answer
    owed: int = 0  # callers that were never handed it
    window: float | None = None  # how long the answer is owed, where the method says it
    owed_to_all: bool = False  # nobody knows any more who was handed it: a crash lies in between
    answer: Any = None  # None in ANSWERED: there was no room to keep it


@dataclass(frozen=True, slots=True)
class Windows:
    """How long flights are remembered, in seconds."""

    owed: float
    key: float
    unknown: float


class Arrival(msgspec.Struct, frozen=True):
    """A call that wants to fly."""

    fingerprint: bytes
    keyed: bool
    replay: Replay
    window: float | None  # how long an answer is owed, where the method says it
    repeatable: bool  # the platform recognises a repeat by its Request-ID
    new_id: Callable[[], str]  # gives the Request-ID of a flight that it leads anew
    token_mark: Callable[[str], bytes]  # of the token it would carry, for a Request-ID
    key: str | None = None
    """The Request-ID that it came with; not its identity where a flight without a key has it."""


class Refusal(StrEnum):
    """Why a call may not fly."""

    KEY_REUSED = "key_reused"  # the key was another call's
    OUTCOME_UNKNOWN = "outcome_unknown"  # sending it again could run it twice
    ANSWER_GONE = "answer_gone"  # it ran; its answer is no longer kept, and asking again could run it twice


class Lead(msgspec.Struct, frozen=True):
    """Send it, under `flight.request_id`."""

    flight: Flight


class Join(msgspec.Struct, frozen=True):
    """Wait for the flight that is out."""

    flight: Flight


class Again(msgspec.Struct, frozen=True):
    """Give the answer of the flight that ended."""

    flight: Flight


class Refuse(msgspec.Struct, frozen=True):
    """Send nothing. `request_id` names the flight that is in the way."""

    reason: Refusal
    request_id: str


class Ended(msgspec.Struct, frozen=True):
    """How a flight ended, for those who wait for it in other processes."""

    outcome: object | None  # as whoever leads has it; None: nobody can say
    unknown: bool = False


Decision = Lead | Join | Again | Refuse


def arrive(flight: Flight | None, call: Arrival, now: float, windows: Windows) -> Decision:
    """What becomes of a call, and of the flight that it meets."""
    if flight is None or now >= expires_at(flight, windows):
        return Lead(first(call, now))
    if flight.keyed and flight.fingerprint != call.fingerprint:
        return Refuse(Refusal.KEY_REUSED, flight.request_id)
    match flight.state:
        case State.IN_FLIGHT:
            return Join(_taken(flight, Event.JOIN))
        case State.UNKNOWN:
            return _again(flight, call, Refusal.OUTCOME_UNKNOWN)
        case _ if not _is_due(flight, call):
            return Lead(first(call, now))
        case _ if flight.answer is None:
            return _again(flight, call, Refusal.ANSWER_GONE)
        case _:
            return Again(_taken(flight, Event.REPLAY))


def landed(flight: Flight, event: Event, now: float, answer: Any = None) -> Flight | None:
    """The flight ended by `event`; None when there is nothing to remember.

    An attempt that was lost under this id stays lost, whatever a later one says of itself.
    """
    if event is NOTHING_SENT and flight.written:
        event = LOST
    state = NEXT[flight.state, event]
    if state is ANSWERED:
        return msgspec.structs.replace(flight, state=state, ended=now, answer=answer)
    if state is State.ABSENT:
        return None
    # All who wait are told that the outcome is unknown, so each is owed the answer.
    return msgspec.structs.replace(
        flight, state=state, ended=now, written=True, pending=0, owed=flight.owed + flight.pending
    )


def handed(flight: Flight, request_id: str, *, reached: bool) -> Flight:
    """A caller of the flight `request_id` was handed the answer, or was gone.

    When another flight has taken its place meanwhile, what is owed is owed there: its answer is as good.
    """
    if flight.state is UNKNOWN and flight.request_id == request_id:
        return flight  # all who waited are owed the answer already
    return msgspec.structs.replace(
        flight,
        pending=max(0, flight.pending - 1) if flight.request_id == request_id else flight.pending,
        owed=flight.owed + (not reached),
    )


def revived(flight: Flight) -> Flight:
    """A flight as a journal remembers it after a crash: what was out is lost, and who was answered is
    unknown."""
    if flight.state is State.IN_FLIGHT:
        lost = landed(flight, Event.LOST, flight.began)
        assert lost is not None
        return msgspec.structs.replace(lost, owed_to_all=True)
    waiting = flight.pending > 0 or flight.owed > 0
    return msgspec.structs.replace(flight, pending=0, owed_to_all=flight.owed_to_all or waiting)


def bereaved(flight: Flight, gone: int, *, leaderless: bool) -> Flight:
    """A flight of several gateways after one has died: `gone` of the callers that wait were its own, and are
    owed the answer. `leaderless`: it led the flight, so the outcome is unknown; who still waits elsewhere is
    owed the answer until it boards again."""
    if leaderless:
        lost = landed(flight, Event.LOST, flight.began)
        assert lost is not None
        return lost
    return msgspec.structs.replace(
        flight, pending=max(0, flight.pending - gone), owed=flight.owed + min(gone, flight.pending)
    )


def is_spent(flight: Flight, replay: Replay) -> bool:
    """Whether an answered flight can be forgotten early: no key, nobody waits, nothing is owed."""
    return (
        flight.state is ANSWERED
        and not (flight.keyed or flight.owed_to_all or flight.pending or flight.owed)
        and replay is not _ALWAYS
    )


def is_last(flight: Flight, request_id: str, replay: Replay) -> bool:
    """Whether the flight `request_id` is spent as soon as one caller more is handed the answer."""
    return (
        flight.pending == 1
        and flight.state is ANSWERED
        and flight.request_id == request_id
        and not (flight.owed or flight.keyed or flight.owed_to_all)
        and replay is not _ALWAYS
    )


def expires_at(flight: Flight, windows: Windows) -> float:
    """When the flight is forgotten. Counted from the first byte under its id, and never renewed."""
    state = flight.state
    if state is IN_FLIGHT:
        return float("inf")
    if state is UNKNOWN:
        return flight.began + min(windows.unknown, DAY)
    if flight.keyed:
        return flight.began + min(windows.key, DAY)
    owed = windows.owed if flight.window is None else flight.window
    return min(flight.ended + owed, flight.began + DAY)


def first(call: Arrival, now: float) -> Flight:
    """A flight that nothing is known of yet."""
    request_id = call.new_id()
    return Flight(
        state=_FIRST,
        request_id=request_id,
        fingerprint=call.fingerprint,
        keyed=call.keyed,
        token_mark=call.token_mark(request_id),
        began=now,
        pending=1,
        window=call.window,
    )


def _again(flight: Flight, call: Arrival, otherwise: Refusal) -> Decision:
    """Lead again under the same id, where the platform would recognise it."""
    if not call.repeatable or call.token_mark(flight.request_id) != flight.token_mark:
        return Refuse(otherwise, flight.request_id)
    return Lead(msgspec.structs.replace(_taken(flight, Event.LEAD), written=True))


def _taken(flight: Flight, event: Event) -> Flight:
    """The flight with one more caller, who takes what is owed."""
    return msgspec.structs.replace(
        flight,
        state=NEXT[flight.state, event],
        pending=flight.pending + 1,
        owed=max(0, flight.owed - 1),
    )


def _is_due(flight: Flight, call: Arrival) -> bool:
    """Whether a call that meets an answered flight gets that answer."""
    if flight.keyed or flight.request_id == call.key or flight.owed_to_all or call.replay is Replay.ALWAYS:
        return True
    return flight.owed > 0 and call.replay is not Replay.NEVER
