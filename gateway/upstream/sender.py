"""Sends a call: waits for a free place, attempts it as often as is safe, and says what came of it as one
value.

The value is shared whole by all who wait for it, a failure included; so a failure is no exception here. This
is the only layer that retries. Refuses to know who is waiting: what is under way goes on when its caller
leaves.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from gateway import errors
from gateway.codec.tracecontext import header_lines
from gateway.policy import retrying
from gateway.policy.breaker import Breaker, Permit, Refused, State
from gateway.policy.budget import RetryBudget
from gateway.policy.retrying import Attempted, RetryRule, Trouble
from gateway.records import AttemptRecord, TraceContext
from gateway.upstream.admission import TOO_LATE, Admission
from gateway.upstream.client import AttemptError, Outgoing, Reading, attempt, record
from gateway.upstream.pacing import Pacer
from gateway.upstream.reply import Reply
from gateway.upstream.wire import Transport

Failure = AttemptError | errors.CallError

Rewrite = Callable[[], Awaitable[Outgoing | None]]
"""Gives the same request with another token; None when there is no other."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of a call: a reply, or why there is none. Times in seconds.

    Seen by the garbage collector: it may hold an exception, and whose traceback leads back to it.
    """

    reply: Reply | None = None
    failure: Failure | None = None
    attempts: int = 0
    lost: bool = False  # an attempt before the last one was sent and got no answer
    queue_seconds: float = 0.0
    upstream_seconds: float = 0.0
    trace: TraceContext | None = None  # the span of the call that it was sent for

    @property
    def written(self) -> bool:
        """Whether an attempt without an answer may have reached the platform."""
        return isinstance(self.failure, AttemptError) and self.failure.written


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands between a call and the platform of one account."""

    admission: Admission
    breaker: Breaker
    budget: RetryBudget
    rule: RetryRule


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told what a sender does."""

    attempt: Callable[[AttemptRecord], None]
    retry: Callable[[str, Trouble], None]  # of each attempt but the first: the method's label, and why
    span: Callable[[TraceContext], TraceContext]  # gives an attempt its place below its call's
    held: Callable[[str, str], None]  # of each request that the rate holds back: account, and how it went


class Sender:
    """One account's way to its platform."""

    def __init__(
        self,
        account: str,
        transport: Transport,
        guards: Guards,
        reading: Reading,
        watchers: Watchers,
        *,
        clock: Callable[[], float],
        chance: Callable[[], float],
        repeatable: bool,
        pacer: Pacer | None = None,
    ) -> None:
        """`clock` is the loop's, `chance` gives 0..1; `repeatable`: the platform recognises a
        `Request-ID`. Without a `pacer`, requests go out as they come."""
        self._account = account
        self._transport = transport
        self._guards = guards
        self._reading = reading
        self._watchers = watchers
        self._clock = clock
        self._chance = chance
        self._repeatable = repeatable
        self._pacer = pacer

    async def send(
        self,
        outgoing: Outgoing,
        deadline: float,
        *,
        sent_before: bool = False,
        rewrite: Rewrite | None = None,
    ) -> Outcome:
        """Never raises for what the platform or the network does.

        `sent_before`: an earlier call under the same Request-ID may have been sent. `rewrite` is asked once
        when the platform rejects the token.
        """
        outcome = await self._send(outgoing, deadline, sent_before, 0)
        reply = outcome.reply
        if rewrite is None or reply is None or not reply.rejects_token:
            return outcome
        if not self._may_rewrite(outgoing, outcome, sent_before):
            return outcome
        other = await _in_time(rewrite, deadline)
        if other is None:
            return outcome
        self._watchers.retry(other.method.label, Trouble.REJECTED)
        return _together(outcome, await self._send(other, deadline, sent_before, outcome.attempts))

    def _may_rewrite(self, outgoing: Outgoing, outcome: Outcome, sent_before: bool) -> bool:
        attempted = Attempted(
            number=outcome.attempts,
            trouble=Trouble.REJECTED,
            modifies=outgoing.method.effect.modifies,
            repeatable=self._repeatable,
            sent_before=sent_before or outcome.lost,
        )
        return retrying.may_repeat(attempted)

    async def _send(self, outgoing: Outgoing, deadline: float, sent_before: bool, made: int) -> Outcome:
        """`made` attempts were made before, with another token."""
        arrived = began = self._clock()
        self._guards.budget.note_call(arrived)
        admission = self._guards.admission
        if not admission.take():
            try:
                await admission.enter(deadline)
            except errors.CallError as refused:
                return Outcome(failure=refused, queue_seconds=self._clock() - arrived, trace=outgoing.trace)
            began = self._clock()
        try:
            return await self._attempts(outgoing, deadline, sent_before, made, arrived, began)
        finally:
            admission.leave()

    async def _attempts(
        self, outgoing: Outgoing, deadline: float, sent_before: bool, made: int, arrived: float, began: float
    ) -> Outcome:
        """Attempts until one is the end of it. It has its place since `began`."""
        number, lost, later, trouble, held, now = 0, None, None, None, 0.0, began
        result: Reply | Failure
        while True:
            if self._pacer is None:
                permit = self._permit(now, deadline)
            else:
                permit = await self._turn(self._pacer, now, deadline)
                asked, now = now, self._clock()
                held += now - asked
            if not isinstance(permit, Permit):
                # What came of an earlier attempt is not undone by one that was not made.
                result = later or lost or permit
                break
            if trouble is not None:
                self._watchers.retry(outgoing.method.label, trouble)
            number += 1
            result = await self._attempt(permit, outgoing, deadline, made + number, now)
            trouble = _trouble(result)
            if trouble is None:
                break
            if isinstance(result, AttemptError) and result.written:
                lost = result
            later = result if isinstance(result, Reply) else None
            pause = self._pause(outgoing, result, trouble, number, sent_before or lost is not None, deadline)
            if pause is None:
                result = later or lost or result
                break
            await asyncio.sleep(pause)
            now = self._clock()
        reply, failure = (result, None) if isinstance(result, Reply) else (None, result)
        queued, answered = began - arrived + held, self._clock() - began - held
        return Outcome(reply, failure, number, lost is not None, queued, answered, outgoing.trace)

    async def _turn(self, pacer: Pacer, now: float, deadline: float) -> Permit | errors.CallError:
        """Leave to make an attempt, under `upstream.rate`; no turn is taken where the breaker refuses."""
        if self._guards.breaker.state(now) is not State.OPEN:
            try:
                await pacer.turn(deadline)
            except errors.CallError as refused:
                return refused
        return self._permit(self._clock(), deadline)

    def _permit(self, now: float, deadline: float) -> Permit | errors.CallError:
        """Leave to make an attempt. A call whose time was over before its turn came says nothing about the
        platform: slow callers must not open the breaker for all others."""
        if now >= deadline:
            return errors.CallError(errors.UPSTREAM_TIMEOUT, TOO_LATE)
        permit = self._guards.breaker.enter(now)
        return _breaker_open(permit) if isinstance(permit, Refused) else permit

    async def _attempt(
        self, permit: Permit, outgoing: Outgoing, deadline: float, number: int, now: float
    ) -> Reply | AttemptError:
        """One attempt, begun `now`, of which the breaker is told."""
        ended = now
        trace = None
        failed: bool | None = None
        result: Reply | AttemptError
        try:
            if outgoing.trace is not None:
                trace = self._watchers.span(outgoing.trace)
                outgoing = self._announced(outgoing, trace)
            result = await attempt(self._transport, outgoing, deadline, self._reading)
            failed = False
        except AttemptError as error:
            result, failed = error, not error.ours
        finally:
            ended = self._clock()
            self._guards.breaker.leave(permit, ended, failed=failed)
        self._watchers.attempt(record(outgoing, self._account, ended - now, result, number, trace))
        return result

    def _announced(self, outgoing: Outgoing, trace: TraceContext) -> Outgoing:
        """With the headers of the attempt's span. Not so a modifying call without a `Request-ID`: the
        platform knows its repeats by all of its headers, and these are never the same twice."""
        if outgoing.method.effect.modifies and not self._repeatable:
            return outgoing
        return msgspec.structs.replace(outgoing, head=outgoing.head + header_lines(trace))

    def _pause(
        self,
        outgoing: Outgoing,
        result: Reply | AttemptError,
        trouble: Trouble,
        number: int,
        sent_before: bool,
        deadline: float,
    ) -> float | None:
        """Seconds until the next attempt; None: there is none."""
        now = self._clock()
        attempted = Attempted(
            number=number,
            trouble=trouble,
            modifies=outgoing.method.effect.modifies,
            repeatable=self._repeatable,
            sent_before=sent_before,
            retry_after=retrying.asked_pause(result.retry_after),
        )
        pause = self._guards.rule.next_pause(attempted, now=now, deadline=deadline, chance=self._chance())
        return pause if pause is not None and self._guards.budget.may_retry(now) else None


async def _in_time(rewrite: Rewrite, deadline: float) -> Outgoing | None:
    """A source that takes longer than the call has time for has nothing to give it."""
    try:
        async with asyncio.timeout_at(deadline):
            return await rewrite()
    except TimeoutError:
        return None


def _together(first: Outcome, second: Outcome) -> Outcome:
    """The end of both, with what both took."""
    return msgspec.structs.replace(
        second,
        attempts=first.attempts + second.attempts,
        queue_seconds=first.queue_seconds + second.queue_seconds,
        upstream_seconds=first.upstream_seconds + second.upstream_seconds,
    )


def _trouble(result: Reply | AttemptError) -> Trouble | None:
    if isinstance(result, Reply):
        return retrying.of_status(result.status)
    return None if result.ours else retrying.of_failure(result.kind, written=result.written)


def _breaker_open(refused: Refused) -> errors.CallError:
    return errors.CallError(
        errors.BREAKER_OPEN,
        "the platform has mostly failed lately and is left alone for a while; nothing was sent",
        {"Retry-After": str(math.ceil(refused.retry_after))},
    )
