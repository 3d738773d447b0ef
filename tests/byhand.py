"""A platform that answers when the test says so, and the way to it: everything between is the real thing.

`Platform` is a transport, the seam that httpx offers. Each attempt that reaches it waits as an `Attempt`
until it is answered, broken, or given up at its deadline.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateway.account import Account
from gateway.codec.body import BodyLimits
from gateway.codec.negotiation import Format
from gateway.offload import Offload
from gateway.outgoing import Dialect, Writer
from gateway.policy.breaker import Breaker, BreakerRule
from gateway.policy.budget import RetryBudget
from gateway.policy.retrying import RetryRule, Trouble
from gateway.records import AttemptRecord
from gateway.settings.model import TokenPlacement
from gateway.tokens.keeper import TokenKeeper
from gateway.upstream.admission import Admission
from gateway.upstream.client import Reading
from gateway.upstream.failures import Kind, marked
from gateway.upstream.pacing import Pacer
from gateway.upstream.sender import Guards, Sender, Watchers
from gateway.upstream.wire import Destination, WireReply
from tests.builders import OFFLOAD

BASE_URL = "https://example.com/api/v1.1"
LIMITS = BodyLimits(depth=64, elements=10_000)


@dataclass(eq=False)
class Attempt:
    """A request that has arrived and waits."""

    head: bytes
    body: bytes
    arrived: float  # by the loop's clock, as is the deadline
    deadline: float
    end: "asyncio.Future[WireReply]"

    @property
    def params(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def api_method(self) -> str:
        return self.head.split(b" ")[1].decode().removeprefix("/api/v1.1/").strip("/")

    @property
    def waits(self) -> bool:
        return not self.end.done()

    def answer(self, status: int = 200, headers: Mapping[str, str] | None = None, **fields: object) -> None:
        """The platform's reply; success unless `fields` say otherwise."""
        body = json.dumps({"error": 0, "error_text": "", **fields}).encode()
        self.answer_with(body, status, {"content-type": "application/json", **(headers or {})})

    def answer_with(self, body: bytes, status: int, headers: Mapping[str, str]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.end.set_result(WireReply(status, raw, body))

    def break_off(self, kind: Kind = "reset", *, written: bool = True) -> None:
        """No answer, as a transport says it."""
        self.end.set_exception(marked(httpx.NetworkError("by hand"), kind, written=written))


class Platform:
    """All attempts in the order of their arrival."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    async def call(
        self, to: Destination, head: bytes, body: bytes, *, modifies: bool, deadline: float
    ) -> WireReply:
        loop = asyncio.get_running_loop()
        attempt = Attempt(head, body, loop.time(), deadline, loop.create_future())
        self.attempts.append(attempt)
        try:
            async with asyncio.timeout_at(deadline):
                return await attempt.end
        except TimeoutError:
            raise marked(httpx.ReadTimeout("by hand"), "timeout", written=True) from None

    @property
    def waiting(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.waits]

    @property
    def only(self) -> Attempt:
        """The attempt that waits, which has to be the only one."""
        (attempt,) = self.waiting
        return attempt


@dataclass
class Watched:
    """What a sender tells its watchers."""

    attempts: list[AttemptRecord] = field(default_factory=list)
    retries: list[Trouble] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def watchers(self) -> Watchers:
        return Watchers(
            self.attempts.append,
            lambda _, why: self.retries.append(why),
            lambda above: above.child(f"{len(self.attempts) + 1:016x}"),
            lambda _, outcome: self.held.append(outcome),
        )


def guards(
    *,
    places: int = 1000,
    queue: int = 1000,
    patience: float = 5.0,
    attempts: int = 1,
    backoff: float = 0.125,
    max_backoff: float = 2.0,
    budget: float = 1.0,
    min_calls: int = 1_000_000,
    open_for: float = 5.0,
) -> Guards:
    """One attempt, and a breaker that stays closed, unless the test says otherwise."""
    breaker = BreakerRule(
        failure_ratio=0.5, min_calls=min_calls, window=10.0, open_for=open_for, probe_timeout=60.0
    )
    rule = RetryRule(attempts=attempts, backoff=backoff, max_backoff=max_backoff)
    return Guards(Admission(places, queue, patience), Breaker(breaker), RetryBudget(budget), rule)


def sender(
    platform: Platform,
    of: Guards,
    watched: Watched | None = None,
    *,
    chance: float = 0.5,
    repeatable: bool = True,
    pacer: Pacer | None = None,
    offload: Offload | None = None,
) -> Sender:
    return Sender(
        "default",
        platform,
        of,
        Reading(offload or OFFLOAD, LIMITS, 1024 * 1024),
        (watched or Watched()).watchers(),
        clock=asyncio.get_running_loop().time,
        chance=lambda: chance,
        repeatable=repeatable,
        pacer=pacer,
    )


def account(
    platform: Platform,
    tokens: Mapping[str, TokenKeeper],
    *,
    name: str = "default",
    base_url: str = BASE_URL,
    of: Guards | None = None,
) -> Account:
    return Account(
        name=name,
        base_url=base_url,
        tokens=tokens,
        writer=Writer(Dialect(base_url, Format.JSON, TokenPlacement.BODY, "Request-ID"), ()),
        sender=sender(platform, of or guards()),
        repeatable=True,
    )
