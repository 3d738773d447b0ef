"""In front of the pipeline: the caller's side of a call, plain, since every layer here is paid by every call.

Checks who calls what, has the body read within its bounds, writes the answer with the headers that every
answer carries, and ends each call in exactly one record, whatever happened to it. Refuses to know what a call
means.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway import body, errors, guard, headers, identity
from gateway.call import Answer, Call, CallHead, Trail
from gateway.catalogue.model import Effect
from gateway.codec.negotiation import Format
from gateway.exchange import CallerGone, Exchange
from gateway.head import Head
from gateway.head import lines as lines_of
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


class Admitted(msgspec.Struct, frozen=True, eq=False):
    """A head that was found good under one configuration, whoever sends it: but for the guard's checks,
    which look at the connection too."""

    rules: CallRules
    head: CallHead
    caller: str
    limit: int  # bytes of a body

    @property
    def reads(self) -> bool:
        return not self.head.target.method.effect.modifies


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

    def admit(self, head: Head) -> Admitted:
        """What is to be known of every call with this head. Raises CallError."""
        rules = self.rules
        reply_format = rules.pipeline.intake.reply_format(head.headers, head.query)
        target = rules.router.find(head.path)
        _permit(rules, head, target)
        return _admitted(rules, head, target, identity.caller_key(head.headers), reply_format)

    def serve_at_once(self, exchange: Exchange, admitted: Admitted) -> bool:
        """Answer a whole call that needs no waiting, a read whose reply is at hand; else say so, and `serve`
        has to."""
        rules = self.rules
        if admitted.rules is not rules or not admitted.reads or self.tracer is not None:
            return False
        content = exchange.body_at_hand(admitted.limit)
        if content is None:
            return False
        call, trail = Call(admitted.head, content), self._trail(exchange)
        try:
            guard.check(exchange.head.headers, exchange.local_address, rules.allowed_hosts)
            answer = rules.pipeline.at_hand(call, trail)
        except errors.CallError:
            return False  # whoever serves it tells it so
        if answer is None:
            return False
        _note(trail, call.head.target)
        trail.caller, trail.request_bytes = admitted.caller, len(call.body)
        self._hand_out(exchange, answer, trail)
        self._observe(trail.record(self._clock()))
        return True

    async def serve(self, exchange: Exchange, admitted: Admitted | None = None) -> None:
        """One call, from its head to its record."""
        rules = self.rules
        if admitted is not None and admitted.rules is not rules:
            admitted = None
        with rules.users:
            trail = self._trail(exchange)
            if self.tracer is not None:
                found = exchange.head.headers
                trail.trace = self.tracer.begin(found.get(headers.TRACEPARENT), found.get(headers.TRACESTATE))
                trail.http_method = exchange.head.method
            self.in_progress += 1
            reached = False
            try:
                answer = await self._answer(rules, exchange, admitted, trail)
                reached = self._hand_out(exchange, answer, trail)
            except CallerGone:
                trail.error = CALLER_GONE
            finally:
                self.in_progress -= 1
                self._observe(trail.record(self._clock()))
                if trail.landing is not None:
                    await self._deliver(rules, exchange, trail, reached=reached and not trail.error)

    def _trail(self, exchange: Exchange) -> Trail:
        return Trail(
            time=self._wall_clock(),
            started=self._clock(),
            request_id=self._new_id(),
            presence=exchange.presence,
        )

    def _hand_out(self, exchange: Exchange, answer: Answer, trail: Trail) -> bool:
        trail.status, trail.reply_bytes = answer.status, len(answer.body)
        return exchange.answer(answer.status, self._fields(answer, trail), answer.body)

    async def _deliver(self, rules: CallRules, exchange: Exchange, trail: Trail, *, reached: bool) -> None:
        """Tell the flight whether its caller was reached, once the answer is written: in the next turn."""
        try:
            await asyncio.sleep(0)
        finally:
            await rules.pipeline.delivered(trail, reached=reached and not exchange.presence.is_gone)

    async def _answer(
        self, rules: CallRules, exchange: Exchange, admitted: Admitted | None, trail: Trail
    ) -> Answer:
        """The pipeline's answer, or what stands for it: every refusal and every fault ends as an answer
        here."""
        presentation = rules.pipeline.presentation
        if admitted is None:
            head = exchange.head
            trail.reply_format = rules.pipeline.intake.reply_format(head.headers, head.query)
            trail.caller = _caller(head.headers, rules.known_callers)
        else:
            trail.reply_format, trail.caller = admitted.head.reply_format, admitted.caller
        # The answer is made while the exception is at hand: keeping it would tie it to this frame, and with
        # it the call's body until the collector comes by.
        try:
            return await self._call(rules, exchange, admitted, trail)
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

    async def _call(
        self, rules: CallRules, exchange: Exchange, admitted: Admitted | None, trail: Trail
    ) -> Answer:
        head = exchange.head
        guard.check(head.headers, exchange.local_address, rules.allowed_hosts)
        if admitted is None:
            target = rules.router.find(head.path)
            _note(trail, target)
            _permit(rules, head, target)
            key = identity.caller_key(head.headers)
            if key is not None:
                trail.request_id = key
            admitted = _admitted(rules, head, target, key, trail.reply_format)
        else:  # such a head has no key
            _note(trail, admitted.head.target)
        size = admitted.limit if head.length is None else head.length
        if size <= SMALL or exchange.is_whole:
            return await self._answered(rules, exchange, admitted, trail)
        async with rules.room.holding(size):
            return await self._answered(rules, exchange, admitted, trail)

    async def _answered(
        self, rules: CallRules, exchange: Exchange, admitted: Admitted, trail: Trail
    ) -> Answer:
        content = exchange.body_at_hand(admitted.limit)
        if content is None:
            content = await exchange.body(admitted.limit)
        trail.request_bytes = len(content)
        return await rules.pipeline.answer(Call(admitted.head, content), trail)

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
        return lines + lines_of(answer.headers) if answer.headers else lines


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


def _permit(rules: CallRules, head: Head, target: Target) -> None:
    """Raises CallError for what may not be called, or not so."""
    _check_http_method(head.method, target)
    rules.policy.check(target.method)


def _admitted(
    rules: CallRules, head: Head, target: Target, key: str | None, reply_format: Format
) -> Admitted:
    """Raises CallError for a head that is refused."""
    call_head = rules.pipeline.intake.head(target, head.query, head.headers, key, reply_format)
    limit = rules.body_bytes if call_head.format is Format.JSON else rules.xml_bytes
    body.check(head.headers, limit)
    return Admitted(rules, call_head, _caller(head.headers, rules.known_callers), limit)


def _note(trail: Trail, target: Target) -> None:
    trail.api_method, trail.called, trail.account = target.method.label, target.called, target.account


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
