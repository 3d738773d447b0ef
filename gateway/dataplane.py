"""ASGI in front of the pipeline: the caller's side of a call, raw, since every layer here is paid by every
call.

Reads the body within its bounds, writes the answer with the headers that every answer carries, and ends each
call in exactly one record, whatever happened to it. Refuses to know what a call means.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from gateway import body, errors, guard, headers, identity
from gateway.call import Answer, Call, Trail
from gateway.catalogue.model import Effect
from gateway.codec.negotiation import Format
from gateway.headers import Headers
from gateway.observe.tracing.tracer import Tracer
from gateway.pipeline import Pipeline
from gateway.policy.cache_headers import MODIFYING, own_status
from gateway.presence import SCOPE_KEY
from gateway.presentation import Presentation
from gateway.records import CALLER_GONE, CallRecord
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
    body_bytes: int
    xml_bytes: int
    body_timeout: float  # seconds
    caller_header: bytes  # lower case
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rules = self.rules
        with rules.users:
            await self._under(rules, scope, receive, send)

    async def _under(self, rules: CallRules, scope: Scope, receive: Receive, send: Send) -> None:
        found = headers.pick(scope["headers"], rules.caller_header)
        trail = Trail(time=self._wall_clock(), started=self._clock(), request_id="")
        scope[SCOPE_KEY] = trail.presence
        if self.tracer is not None:
            trail.trace = self.tracer.begin(found.get(headers.TRACEPARENT), found.get(headers.TRACESTATE))
            trail.http_method = scope["method"]
        self.in_progress += 1
        reached = False
        try:
            answer = await self._answer(rules, scope, receive, found, trail)
            trail.status, trail.reply_bytes = answer.status, len(answer.body)
            reached = await self._send(receive, send, answer, trail)
        except body.CallerGone:
            trail.error = CALLER_GONE
        finally:
            self.in_progress -= 1
            self._observe(trail.record(self._clock()))
            if trail.landing is not None:
                await rules.pipeline.delivered(trail, reached=reached and not trail.error)

    async def _answer(
        self, rules: CallRules, scope: Scope, receive: Receive, found: Headers, trail: Trail
    ) -> Answer:
        """The pipeline's answer, or what stands for it: every refusal and every fault ends as an answer
        here."""
        intake, presentation = rules.pipeline.intake, rules.pipeline.presentation
        trail.request_id = self._new_id()
        trail.reply_format = intake.reply_format(found, scope["query_string"])
        trail.caller = _caller(found, rules.known_callers)
        # The answer is made while the exception is at hand: keeping it would tie it to this frame, and with
        # it the call's body until the collector comes by.
        try:
            return await self._call(rules, scope, receive, found, trail)
        except errors.CallError as error:
            return _refusal(error, presentation, trail)
        except body.CallerGone:
            raise
        except asyncio.CancelledError:
            # The server ends what is still running when its patience is over; nobody else cancels a call.
            return _refusal(_stopped(trail), presentation, trail)
        except Exception as error:
            log.error("a call to %s failed inside the gateway", trail.api_method, exc_info=error)
            inside = errors.CallError(errors.INTERNAL, "internal error; the log says more")
            return _refusal(inside, presentation, trail)

    async def _call(
        self, rules: CallRules, scope: Scope, receive: Receive, found: Headers, trail: Trail
    ) -> Answer:
        server = scope["server"]
        guard.check(found, server[0] if server else None, rules.allowed_hosts)
        target = rules.router.find(scope["raw_path"])
        trail.api_method, trail.called, trail.account = target.method.label, target.called, target.account
        _check_http_method(scope["method"], target)
        rules.policy.check(target.method)
        key = identity.caller_key(found)
        if key is not None:
            trail.request_id = key
        body_format = rules.pipeline.intake.body_format(found)
        limit = rules.body_bytes if body_format is Format.JSON else rules.xml_bytes
        content = await body.read(receive, found, limit, rules.body_timeout)
        trail.request_bytes = len(content)
        return await rules.pipeline.answer(
            Call(target, scope["query_string"], found, content), body_format, key, trail
        )

    async def _send(self, receive: Receive, send: Send, answer: Answer, trail: Trail) -> bool:
        """Hand the answer out. Returns whether the caller was, as far as is known, still there to take it."""
        seconds = self._clock() - trail.started
        timing = b"gateway;dur=%.1f, upstream;dur=%.1f" % (
            (seconds - trail.upstream_seconds) * 1000,
            trail.upstream_seconds * 1000,
        )
        fields = [
            (b"content-type", answer.content_type),
            (b"content-length", b"%d" % len(answer.body)),
            (b"request-id", trail.request_id.encode("ascii")),
            (b"cache-status", _cache_status(trail)),
            (b"server-timing", timing),
            *answer.headers,
        ]
        if trail.flight is not None:
            fields.append((b"gateway-flight", trail.flight.encode("ascii")))
        if trail.age is not None:
            fields.append((b"age", trail.age))
        await send({"type": "http.response.start", "status": answer.status, "headers": fields})
        # To be asked before the last byte: after it, every caller counts as gone.
        gone = is_gone(receive)
        await send({"type": "http.response.body", "body": answer.body})
        return not gone


def is_gone(receive: Receive) -> bool:
    """Whether the caller is known to have hung up; asked without waiting, by one step of the coroutine."""
    asking = cast(Coroutine[Any, Any, Message], receive())
    try:
        asking.send(None)
    except StopIteration as told:
        return bool(told.value["type"] == "http.disconnect")
    finally:
        asking.close()
    return False


def _refusal(error: errors.CallError, presentation: Presentation, trail: Trail) -> Answer:
    trail.origin, trail.code = "gateway", error.kind.code
    trail.error, trail.error_text = error.kind.name, error.text
    trail.request_id = error.request_id or trail.request_id
    return presentation.of_error(error, trail.reply_format)


def _stopped(trail: Trail) -> errors.CallError:
    """What a caller is told whose call was still running when the gateway stopped."""
    if trail.flight is None:
        return errors.CallError(errors.STOPPED, "the gateway was stopped before the call was answered")
    return errors.CallError(
        errors.STOPPED,
        "the gateway was stopped before the call was answered; the outcome is unknown, "
        "repeating is safe with the same Request-ID",
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
