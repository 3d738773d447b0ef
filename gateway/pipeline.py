"""One call, from what came in to what goes out, in one straight line. Read this file to know what the gateway
does.

    intake    the body is decoded, a token in it removed
    account   whose token, which platform
    writer    the call as the platform gets it, the token in
    sender    it goes out, and goes on when the caller leaves
    present   the answer in the caller's format

Refuses to know about HTTP towards the caller; that is the data plane's.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway import errors, presentation
from gateway.call import Answer, Call, Request, Trail
from gateway.catalogue.model import ApiMethod
from gateway.codec.negotiation import Format
from gateway.intake import Intake
from gateway.offload import JSON_AT_ONCE, XML_AT_ONCE
from gateway.outgoing import Writer
from gateway.presentation import Presentation
from gateway.records import FlightOutcome
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import TokenKeeper
from gateway.tokens.secret import Secret
from gateway.upstream.client import AttemptError, Outgoing
from gateway.upstream.sender import Outcome, Sender


@dataclass(frozen=True, slots=True)
class Account:
    """A platform and who we are there."""

    tokens: Mapping[str, TokenKeeper]
    writer: Writer
    sender: Sender
    repeatable: bool  # the platform recognises repeats by their Request-ID

    def token(self, method: ApiMethod) -> Secret | None:
        """The token for a method; None for one that carries a token of its own kind."""
        if not method.carries_token:
            return None
        return self.secret(method.token_name)

    def secret(self, name: str) -> Secret:
        """The named token as it is now. Raises CallError (503) while there is none."""
        try:
            return self.tokens[name].current.secret
        except errors.TokenMissingError as error:
            raise errors.CallError(
                errors.TOKEN_MISSING, "no token for the platform; nothing was sent"
            ) from error


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stations of a call, for one configuration. A reload makes a new one; calls end with the one they
    began."""

    intake: Intake
    accounts: Mapping[str, Account]
    presentation: Presentation
    owner: TaskOwner
    flight_ended: Callable[
        [str, FlightOutcome], None
    ]  # told the method's label and what is known of the effect
    total_timeout: float  # seconds for a whole call

    async def answer(self, call: Call, body_format: Format, key: str | None, trail: Trail) -> Answer:
        """The platform's answer, or CallError when there is none."""
        request = await self.intake.read(call, body_format, key)
        trail.reply_format = request.reply_format
        account = self.accounts[request.account]
        at_once = JSON_AT_ONCE if account.writer.format is Format.JSON else XML_AT_ONCE
        outgoing = await self.intake.offload.aside(
            len(call.body) > at_once,
            account.writer.write,
            request,
            account.token(request.method),
            trail.request_id,
        )
        if request.format is not account.writer.format:
            trail.conversions += ("xml_to_json" if request.format is Format.XML else "json_to_xml",)
        outcome = await self._send(account, outgoing, trail)
        return await self._present(account, request, outcome, trail)

    async def _send(self, account: Account, outgoing: Outgoing, trail: Trail) -> Outcome:
        """The call on its way: a task of its own, since it must not end with the caller that waits for it."""
        if outgoing.method.effect.modifies:
            trail.flight = "led"
        else:
            trail.cache = "bypass"
        flight = self._fly(account, outgoing, trail.started + self.total_timeout)
        outcome = await asyncio.shield(self.owner.start(flight, outgoing.method.label))
        trail.attempts = outcome.attempts
        trail.queue_seconds = outcome.queue_seconds
        trail.upstream_seconds = outcome.upstream_seconds
        return outcome

    async def _fly(self, account: Account, outgoing: Outgoing, deadline: float) -> Outcome:
        outcome = await account.sender.send(outgoing, deadline)
        if outgoing.method.effect.modifies:
            self.flight_ended(outgoing.method.label, _flight_outcome(outcome))
        return outcome

    async def _present(self, account: Account, request: Request, outcome: Outcome, trail: Trail) -> Answer:
        reply, failure = outcome.reply, outcome.failure
        if reply is None:
            if isinstance(failure, errors.CallError):
                raise failure
            assert failure is not None
            raise presentation.failure(
                failure, modifies=request.method.effect.modifies, repeatable=account.repeatable
            )
        trail.origin = "upstream"
        trail.code = reply.envelope.code
        trail.duplicate = reply.duplicate
        return await self.presentation.of_reply(request, reply, trail)


def _flight_outcome(outcome: Outcome) -> FlightOutcome:
    """What is known of a modifying call's effect on the platform."""
    if outcome.reply is not None:
        return "answered"
    return "unknown" if isinstance(outcome.failure, AttemptError) and outcome.failure.written else "not_sent"
