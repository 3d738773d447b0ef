"""How a call's flight ended, as its callers are told."""

import msgspec

from gateway.catalogue.model import Replay
from gateway.policy.flight import ANSWER, LOST, NOTHING_SENT, Ended, Event, Flight
from gateway.records import FlightRole
from gateway.stores.flights import Identity
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome


class Landing(msgspec.Struct, frozen=True, gc=False):
    """How a call's flight ended, for one of its callers."""

    identity: Identity | None  # None: no flight wants to know whether the caller got the answer
    request_id: str
    role: FlightRole
    outcome: Outcome
    unknown: bool  # whether the platform ran it cannot be told
    replay: Replay = Replay.OWED


def interrupted(*, sent: bool = True) -> Outcome:
    """Of a call that was ended from outside: how far it came is unknown, unless it was not sent at all."""
    return Outcome(failure=AttemptError("reset", written=sent, text="the gateway was stopped"))


def told(ended: Ended) -> tuple[Outcome, bool]:
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
        return ANSWER
    return LOST if outcome.written or outcome.lost or flight.written else NOTHING_SENT
