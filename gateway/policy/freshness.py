"""How long a reply may be given again, and what to do with a read: the cache's rules, without a cache.

A reply is *fresh* for its ttl. After that it is *stale*, and is given only

- for `stale_while_revalidate` seconds more, while a new one is fetched in the background;
- for `stale_if_error` seconds more, when the platform was asked and did not answer.

Both are counted from the end of the ttl (RFC 5861 sections 3 and 4), and every limit is exclusive: what is
exactly as old as it may get is too old. Ages count from the moment the read was sent, not from its answer's
arrival: what the platform says may be true only for its past (RFC 9111 section 4.2.3 counts the delay too).

Refuses to know where replies are kept, and whether a write has overtaken them: that is the store's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from gateway.catalogue.model import ApiMethod

SUCCESS = 0
"""The platform's code of a call that did what it was asked."""


@dataclass(frozen=True, slots=True)
class CacheControl:
    """What the caller wants of the cache."""

    no_cache: bool = False  # a new reply, which may be kept for others
    no_store: bool = False  # no trace
    only_if_cached: bool = False  # nothing from the platform


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a reply is fresh, and how much longer it may be given stale. Seconds."""

    ttl: float
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0

    @property
    def kept(self) -> float:
        """The age at which a reply is of no use to anybody."""
        return self.ttl + max(self.stale_while_revalidate, self.stale_if_error)


@dataclass(frozen=True, slots=True)
class FreshnessRule:
    """The lifetimes of one method's replies by the platform's code; a code without one is not kept."""

    lifetimes: Mapping[int, Lifetime]

    @classmethod
    def of(cls, method: ApiMethod, default: Lifetime) -> "FreshnessRule":
        """The method's own times, and `default` where it says nothing.

        Errors are kept for their time and never given stale: a stale answer stands in for a better one that
        cannot be had now, and an error is none.
        """
        success = Lifetime(
            _or(method.ttl, default.ttl),
            _or(method.stale_while_revalidate, default.stale_while_revalidate),
            _or(method.stale_if_error, default.stale_if_error),
        )
        negative = {code: Lifetime(ttl) for code, ttl in method.negative_ttl.items()}
        lifetimes = {**negative, SUCCESS: success}
        return cls({code: lifetime for code, lifetime in lifetimes.items() if lifetime.ttl > 0})

    def lifetime(self, code: int | None) -> Lifetime | None:
        """How long a reply with that code may be given; None when it must not be kept, as without a code."""
        return None if code is None else self.lifetimes.get(code)


class Course(StrEnum):
    """What to do with a read."""

    FRESH = "fresh"  # give what is kept
    REVALIDATE = "revalidate"  # give what is kept, and fetch a new one in the background
    STALE = "stale"  # give what is kept, and fetch nothing
    STALE_IF_ERROR = "stale_if_error"  # the platform failed: give what is kept
    FORWARD_MISS = "forward_miss"  # ask the platform, nothing is kept
    FORWARD_STALE = "forward_stale"  # ask the platform, what is kept is too old
    FORWARD_REQUEST = "forward_request"  # ask the platform, since the caller wants it
    BYPASS = "bypass"  # ask the platform, keep nothing
    REFUSE = "refuse"  # 504: the caller wants no question asked


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A course, and for the kept reply: seconds until it is stale (negative: since then), and its age."""

    course: Course
    ttl: float = 0.0
    age: float = 0.0


_FRESH = Course.FRESH  # by name: before Python 3.12, reading a member from its class takes as long as a call
_BYPASS = Decision(Course.BYPASS)
_FORWARD_MISS = Decision(Course.FORWARD_MISS)
_FORWARD_REQUEST = Decision(Course.FORWARD_REQUEST)
_REFUSE = Decision(Course.REFUSE)


def may_look(rule: FreshnessRule, control: CacheControl) -> bool:
    """Whether a kept reply could answer at all. Where not, the store need not be asked."""
    return bool(rule.lifetimes) and not control.no_cache and not control.no_store


def may_keep(rule: FreshnessRule, control: CacheControl) -> bool:
    """Whether the platform's reply may be stored for others, if its code has a lifetime."""
    return bool(rule.lifetimes) and not control.no_store


def may_join(method: ApiMethod, control: CacheControl) -> bool:
    """Whether another call's question, which is out already, will do. Who asks for a new answer gets one of
    its own."""
    return method.coalesce and not control.no_store and not control.no_cache


def decide(rule: FreshnessRule, control: CacheControl, code: int | None, age: float) -> Decision:
    """What to do with a read, given the code and the age of the kept reply; `code` None when there is none.

    `only-if-cached` takes whatever would be given at once, and never has the platform asked, not even in the
    background.
    """
    if not may_look(rule, control):
        if control.only_if_cached:
            return _REFUSE
        return _FORWARD_REQUEST if may_keep(rule, control) else _BYPASS
    lifetime = rule.lifetime(code)
    if lifetime is None:
        return _REFUSE if control.only_if_cached else _FORWARD_MISS
    ttl = lifetime.ttl - age
    if age < lifetime.ttl:
        return Decision(_FRESH, ttl, age)
    if age < lifetime.ttl + lifetime.stale_while_revalidate:
        return Decision(Course.STALE if control.only_if_cached else Course.REVALIDATE, ttl, age)
    return _REFUSE if control.only_if_cached else Decision(Course.FORWARD_STALE, ttl, age)


def decide_after_failure(
    rule: FreshnessRule, control: CacheControl, code: int | None, age: float
) -> Decision | None:
    """What to give to a read whose question to the platform failed; None when it is to see the failure.

    To be asked with what the store has *now*: during the attempt a write may have overtaken what was there
    before, or another read may have brought a fresh reply.
    """
    lifetime = rule.lifetime(code)
    if lifetime is None or not may_look(rule, control):
        return None
    ttl = lifetime.ttl - age
    if age < lifetime.ttl:
        return Decision(Course.FRESH, ttl, age)
    if age < lifetime.ttl + lifetime.stale_if_error:
        return Decision(Course.STALE_IF_ERROR, ttl, age)
    return None


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
