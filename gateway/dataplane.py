"""In front of the pipeline: the caller's side of a call, plain, since every layer here is paid by every call.

Checks who calls what, has the body read within its bounds, writes the answer with the headers that every
answer carries, and ends each call in exactly one record, whatever happened to it. Refuses to know what a call
means.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from gateway import body, errors, guard, head, headers, identity
from gateway.call import Answer, Call, Trail
from gateway.catalogue.model import Effect
from gateway.codec.negotiation import Format
from gateway.exchange import CallerGone, Exchange
from gateway.headers import Headers
from gateway.observe.tracing.tracer import Tracer
from gateway.pipeline import Pipeline
from gateway.policy.cache_headers import MODIFYING, own_status
from gateway.presentation import Presentation, advice_on_repeating
from gateway.records import CALLER_GONE, CallRecord
from gateway.room import SMALL, Room
from gateway.routing import MethodPolicy, Router, Target
from gateway.tasks import Users

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallRules:
    """What the data plane checks before a call goes into the pipeline, for one configuration."""

    router: Router
    policy: MethodPolicy
    pipeline: Pipeline
    allowed_hosts: frozenset[str]
    room: Room
    body_bytes: int
    xml_bytes: int
    known_callers: frozenset[str]
    users: Users  # calls that began under these rules and have not ended


class DataPlane:
    """Answers calls. `rules` is read once per call, so that a reload may replace it at any time; so is
    `tracer`, which is there where calls are traced."""

    def __init__(
        self,
        rules: CallRules,
        *,
        observe: Callable[[CallRecord], None],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self.rules = rules
        self.tracer: Tracer | None = None
        self.in_progress = 0
        self._observe = observe
        self._clock = clock
        self._wall_clock = wall_clock
        self._new_id = new_id

    async def serve(self, exchange: Exchange) -> None:
        """One call, from its head to its record."""
        rules = self.rules
        with rules.users:
            trail = Trail(
                time=self._wall_clock(),
                started=self._clock(),
                request_id=self._new_id(),
                presence=exchange.presence,
            )
            if self.tracer is not None:
                found = exchange.headers
                trail.trace = self.tracer.begin(found.get(headers.TRACEPARENT), found.get(headers.TRACESTATE))
                trail.http_method = exchange.method
            self.in_progress += 1
            reached = False
            try:
                answer = await self._answer(rules, exchange, trail)
                trail.status, trail.reply_bytes = answer.status, len(answer.body)
                reached = exchange.answer(answer.status, self._fields(answer, trail), answer.body)
            except CallerGone:
                trail.error = CALLER_GONE
            finally:
                self.in_progress -= 1
                self._observe(trail.record(self._clock()))
                if trail.landing is not None:
                    await self._deliver(rules, exchange, trail, reached=reached and not trail.error)

    async def _deliver(self, rules: CallRules, exchange: Exchange, trail: Trail, *, reached: bool) -> None:
        """Tell the flight whether its caller was reached, once the answer is written: in the next turn."""
        try:
            await asyncio.sleep(0)
        finally:
            await rules.pipeline.delivered(trail, reached=reached and not exchange.presence.is_gone)

    async def _answer(self, rules: CallRules, exchange: Exchange, trail: Trail) -> Answer:
        """The pipeline's answer, or what stands for it: every refusal and every fault ends as an answer
        here."""
        presentation = rules.pipeline.presentation
        found = exchange.headers
        trail.reply_format = rules.pipeline.intake.reply_format(found, exchange.query)
        trail.caller = _caller(found, rules.known_callers)
        # The answer is made while the exception is at hand: keeping it would tie it to this frame, and with
        # it the call's body until the collector comes by.
        try:
            return await self._call(rules, exchange, trail)
        except errors.CallError as error:
            return _refusal(error, presentation, trail)
        except CallerGone:
            raise
        except asyncio.CancelledError:
            # The server ends what is still running when its patience is over; nobody else cancels a call.
            return _refusal(_stopped(rules, trail), presentation, trail)
        except Exception as error:
            log.error("a call to %s failed inside the gateway", trail.api_method, exc_info=error)
            inside = errors.CallError(errors.INTERNAL, "internal error; the log says more")
            return _refusal(inside, presentation, trail)

    async def _call(self, rules: CallRules, exchange: Exchange, trail: Trail) -> Answer:
        found = exchange.headers
        guard.check(found, exchange.local_address, rules.allowed_hosts)
        target = rules.router.find(exchange.path)
        trail.api_method, trail.called, trail.account = target.method.label, target.called, target.account
        _check_http_method(exchange.method, target)
        rules.policy.check(target.method)
        key = identity.caller_key(found)
        if key is not None:
            trail.request_id = key
        body_format = rules.pipeline.intake.body_format(found)
        limit = rules.body_bytes if body_format is Format.JSON else rules.xml_bytes
        size = body.check(found, limit)

        async def answer() -> Answer:
            content = await exchange.body(limit)
            trail.request_bytes = len(content)
            call = Call(target, exchange.query, found, content)
            return await rules.pipeline.answer(call, body_format, key, trail)

        if size <= SMALL or exchange.is_whole:
            return await answer()
        async with rules.room.holding(size):
            return await answer()

    def _fields(self, answer: Answer, trail: Trail) -> bytes:
        """The header lines of an answer that are the call's own."""
        seconds = self._clock() - trail.started
        lines = b"content-type: %b\r\nrequest-id: %b\r\ncache-status: %b\r\nserver-timing: %b\r\n" % (
            answer.content_type,
            trail.request_id.encode("ascii"),
            _cache_status(trail),
            b"gateway;dur=%.1f, upstream;dur=%.1f"
            % ((seconds - trail.upstream_seconds) * 1000, trail.upstream_seconds * 1000),
        )
        if trail.flight is not None:
            lines += b"gateway-flight: %b\r\n" % trail.flight.encode("ascii")
        if trail.age is not None:
            lines += b"age: %b\r\n" % trail.age
        return lines + head.lines(answer.headers) if answer.headers else lines


def _refusal(error: errors.CallError, presentation: Presentation, trail: Trail) -> Answer:
    trail.origin, trail.code = "gateway", error.kind.code
    trail.error, trail.error_text = error.kind.name, error.text
    trail.request_id = error.request_id or trail.request_id
    return presentation.of_error(error, trail.reply_format)


def _stopped(rules: CallRules, trail: Trail) -> errors.CallError:
    """What a caller is told whose call was still running when the gateway stopped."""
    if trail.flight is None:
        return errors.CallError(errors.STOPPED, "the gateway was stopped before the call was answered")
    advice = advice_on_repeating(repeatable=rules.pipeline.accounts[trail.account].repeatable)
    return errors.CallError(
        errors.STOPPED,
        f"the gateway was stopped before the call was answered; the outcome is unknown, {advice}",
    )


def _caller(found: Headers, known: frozenset[str]) -> str:
    name = found.get(headers.CALLER)
    if name is None:
        return ""
    text = name.decode("latin-1")
    return text if text in known else "other"


def _check_http_method(http_method: str, target: Target) -> None:
    """POST for all; QUERY (RFC 10008) for what surely only reads."""
    reads = target.method.effect is Effect.READ
    if http_method == "POST" or (http_method == "QUERY" and reads):
        return
    allowed = "POST, QUERY" if reads else "POST"
    raise errors.CallError(errors.HTTP_METHOD_REFUSED, f"call this with {allowed}", {"Allow": allowed})


def _cache_status(trail: Trail) -> bytes:
    """RFC 9211. An own error has no cache story to tell, only its reason."""
    if trail.origin == "gateway":
        return own_status(trail.error)
    return trail.cache_status or MODIFYING
