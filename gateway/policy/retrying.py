"""Whether an attempt that failed is followed by another one, and after which pause.

A read may always be sent again. A write may, while no byte of it was ever sent; after that only where the
platform recognises the repeat and does not run it twice. Some troubles end a write's attempts even then:

- a timeout: the platform may still be running the first one, and that a repeat of a *running* call is run
  once is nowhere documented;
- a reply, whatever its HTTP status: a 503 in the platform's own shape is the platform's answer to this call.
  Whether its answer to a repeat would be another one is not documented either. (A 503 without the platform's
  shape is no reply but a broken attempt.)

A reply that rejects the token says that the call did not run: it may be sent again under another token. Not
after an attempt that was lost, since the platform recognises a repeat only under the same token.

Refuses to sleep, to count calls (`budget`) and to know whether the platform is up (`breaker`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType

import msgspec

from gateway.records import FailureKind

_UNAVAILABLE = frozenset({502, 503, 504})
_MOST_DOUBLINGS = 60  # far beyond any max_backoff; without it a large number of attempts overflows a float


class Trouble(StrEnum):
    """Why an attempt is not the end of the matter: the label `reason` of gateway_retries_total."""

    NOT_SENT = "not_sent"  # it is certain that no byte left
    BROKEN = "broken"  # sent; then a reset, a page of a front server, garbage
    TIMEOUT = "timeout"  # sent, and nothing came in time
    UNAVAILABLE = "unavailable"  # the platform's reply, under a status that says "later"
    REJECTED = "token_rejected"  # the platform's reply; the token had been replaced


def of_failure(kind: FailureKind, *, written: bool) -> Trouble:
    """What an attempt without an answer means; `written` False only where no byte can have left."""
    if not written:
        return Trouble.NOT_SENT
    return Trouble.TIMEOUT if kind == "timeout" else Trouble.BROKEN


def of_status(status: int) -> Trouble | None:
    """What the HTTP status of a platform's reply means; None: it is simply the answer."""
    return Trouble.UNAVAILABLE if status in _UNAVAILABLE else None


class _Ruling(Enum):
    YES = auto()
    IF_RECOGNISED = auto()  # by a platform that will not run it twice
    NO = auto()


@dataclass(frozen=True, slots=True)
class _Row:
    read: _Ruling
    unsent: _Ruling  # a write that no earlier attempt sent
    sent: _Ruling  # a write that an earlier attempt under the same Request-ID may have sent


_RULINGS: Mapping[Trouble, _Row] = MappingProxyType(
    {
        Trouble.NOT_SENT: _Row(read=_Ruling.YES, unsent=_Ruling.YES, sent=_Ruling.IF_RECOGNISED),
        Trouble.BROKEN: _Row(read=_Ruling.YES, unsent=_Ruling.IF_RECOGNISED, sent=_Ruling.IF_RECOGNISED),
        Trouble.TIMEOUT: _Row(read=_Ruling.YES, unsent=_Ruling.NO, sent=_Ruling.NO),
        Trouble.UNAVAILABLE: _Row(read=_Ruling.YES, unsent=_Ruling.NO, sent=_Ruling.NO),
        Trouble.REJECTED: _Row(read=_Ruling.YES, unsent=_Ruling.YES, sent=_Ruling.NO),
    }
)


class Attempted(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An attempt that failed, with all that decides about another one."""

    number: int  # of this call's attempts, from 1
    trouble: Trouble
    modifies: bool
    repeatable: bool  # the platform recognises a repeat: by its Request-ID, and under the same token only
    sent_before: bool = False  # an earlier attempt under this Request-ID, also of an earlier call, was sent
    retry_after: float = 0.0  # seconds the platform asked for; see `asked_pause`


def may_repeat(attempted: Attempted) -> bool:
    """Whether sending it again can do no harm, whatever the numbers and times say."""
    row = _RULINGS[attempted.trouble]
    if not attempted.modifies:
        ruling = row.read
    else:
        ruling = row.sent if attempted.sent_before else row.unsent
    return ruling is _Ruling.YES or (ruling is _Ruling.IF_RECOGNISED and attempted.repeatable)


def asked_pause(retry_after: bytes | None) -> float:
    """The seconds of a `Retry-After` (RFC 9110 section 10.2.3); 0.0 for a date, nonsense, or none.

    A date would need the time of day, and nothing says that the platform ever sends one.
    """
    if retry_after is None or not retry_after.isdigit():
        return 0.0
    return float(retry_after)  # unlike an int, whatever the number of digits: too many are infinity


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often and how soon. Times in seconds."""

    attempts: int  # the first one included
    backoff: float  # the longest pause before the second attempt; doubles each time
    max_backoff: float

    def longest_pause(self, number: int) -> float:
        """How long the pause after attempt `number`, from 1, can be."""
        return min(self.max_backoff, self.backoff * 2.0 ** min(number - 1, _MOST_DOUBLINGS))

    def next_pause(self, attempted: Attempted, *, now: float, deadline: float, chance: float) -> float | None:
        """Seconds until the next attempt; None: there is none. `chance` is evenly spread over 0..1.

        The whole pause is left to chance, so that calls which failed together do not come back together. What
        the platform asked for comes on top: it is the time before which nobody should come back.
        """
        if attempted.number >= self.attempts or not may_repeat(attempted):
            return None
        pause = attempted.retry_after + chance * self.longest_pause(attempted.number)
        return pause if now + pause < deadline else None
