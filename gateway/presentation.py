"""What the caller gets: the platform's reply in the caller's format, or an error of the gateway's own.

The platform's replies keep their status and code; only their format may change. An error of the gateway has
the platform's shape and says in its text that it is the gateway's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway import errors
from gateway.annex import TooMuchWorkError
from gateway.call import Answer, Request, Trail
from gateway.codec import envelope, reply
from gateway.codec.body import BodyLimits, MalformedBodyError
from gateway.codec.negotiation import Format
from gateway.offload import AT_ONCE, Offload
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Outcome

_CONTENT_TYPES = {form: form.content_type.encode("ascii") for form in Format}

Scrub = Callable[[bytes], bytes]
"""Masks every known token in what is about to leave."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """The rules by which replies are handed out."""

    limits: BodyLimits
    offload: Offload
    scrub: Scrub
    scrub_kept: Scrub | None = None  # for replies that are kept, and so may come again

    def at_once(self, found: Reply, wanted: Format, *, kept: bool = False) -> Answer | None:
        """The platform's reply as the caller gets it. None where it is large or in another format: that is
        `of_reply`'s."""
        if len(found.body) > AT_ONCE or (found.format is not wanted and found.format is not None):
            return None
        scrub = self.scrub_kept if kept and self.scrub_kept is not None else self.scrub
        return self._answer(found, wanted, scrub(found.body))

    async def of_reply(self, request: Request, found: Reply, trail: Trail) -> Answer:
        """The platform's reply for the caller, whatever it takes. Notes a conversion in `trail`."""
        body = await self._scrubbed(found.body)
        if found.format is not None and found.format is not request.reply_format:
            body = await self._converted(request, found, body, trail)
        return self._answer(found, request.reply_format, body)

    def _answer(self, found: Reply, wanted: Format, body: bytes) -> Answer:
        """With a body that is scrubbed, and in the format that is wanted."""
        content_type = _CONTENT_TYPES[wanted] if found.format is not None else self.scrub(found.content_type)
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if found.duplicate:
            headers = ((b"duplicate-request", b"true"),)
        if found.retry_after is not None:
            headers += ((b"retry-after", self.scrub(found.retry_after)),)
        return Answer(found.status, content_type or b"application/octet-stream", body, headers)

    async def _converted(self, request: Request, found: Reply, body: bytes, trail: Trail) -> bytes:
        wanted = request.reply_format
        trail.conversions += ("json_to_xml" if wanted is Format.XML else "xml_to_json",)
        shape = request.method.reply
        try:
            if wanted is Format.XML:
                converted = await self.offload.run(reply.to_xml, body, shape)
            else:
                converted = await self.offload.run(reply.to_json, body, shape, self.limits)
        except (MalformedBodyError, TooMuchWorkError) as error:
            text = f"the platform's reply cannot be converted: {error}"
            if request.method.effect.modifies:
                text += f"; the platform ran the call and answered with code {found.envelope.code}"
            raise errors.CallError(errors.UPSTREAM_PROTOCOL, text) from error
        # An escape that was harmless in one format may spell a token in the other.
        return await self._scrubbed(converted)

    async def _scrubbed(self, body: bytes) -> bytes:
        return await self.offload.aside(len(body) > AT_ONCE, self.scrub, body)

    def of_error(self, error: errors.CallError, wanted: Format) -> Answer:
        """An error of the gateway's own in the caller's format."""
        return Answer(
            error.kind.status,
            _CONTENT_TYPES[wanted],
            self.scrub(envelope.own_error(wanted, error.kind.code, error.text)),
            (
                *(
                    (name.lower().encode("ascii"), value.encode("ascii"))
                    for name, value in error.headers.items()
                ),
                (b"proxy-status", b"gateway; error=" + error.kind.proxy_status.encode("ascii")),
            ),
        )


_KINDS = {
    "connect": errors.UPSTREAM_UNREACHABLE,
    "timeout": errors.UPSTREAM_TIMEOUT,
    "reset": errors.UPSTREAM_RESET,
    "protocol": errors.UPSTREAM_PROTOCOL,
    "tls": errors.UPSTREAM_TLS,
}


def failure(outcome: Outcome, *, modifies: bool, unknown: bool, repeatable: bool) -> errors.CallError:
    """What the caller is told of a call without an answer: above all, whether it may be repeated.

    `unknown`: the platform may have run the call. `repeatable`: it knows the call's `Request-ID`, so that a
    repeat with it is run once.
    """
    error = outcome.failure
    if isinstance(error, errors.CallError) and not unknown:
        return error
    kind, text = _kind_and_text(error)
    if unknown:
        advice = advice_on_repeating(repeatable=repeatable)
        if isinstance(error, errors.CallError):  # an earlier call under the same Request-ID was sent
            text += " this time"
            return errors.CallError(kind, f"{text}; the outcome is unknown, {advice}", error.headers)
        return errors.CallError(kind, f"{text}; the outcome is unknown, {advice}")
    if isinstance(error, AttemptError) and error.written and not modifies:
        return errors.CallError(kind, text)
    if kind is errors.UPSTREAM_TIMEOUT:
        kind = errors.CONNECT_TIMEOUT
    return errors.CallError(kind, f"{text}; nothing was sent, repeating is safe")


def advice_on_repeating(*, repeatable: bool) -> str:
    """What a caller may do whose call may have run."""
    if repeatable:
        return "repeating is safe with the same Request-ID"
    return "the platform does not recognise repeats: check before repeating"


def _kind_and_text(error: AttemptError | errors.CallError | None) -> tuple[errors.ErrorKind, str]:
    match error:
        case AttemptError():
            return _KINDS[error.kind], error.text
        case errors.CallError():
            return error.kind, error.text
        case None:  # a reply that is none: the platform rejected the token after an attempt that was lost
            return (
                errors.UPSTREAM_RESET,
                "the platform did not answer, and rejected the token when asked again",
            )
