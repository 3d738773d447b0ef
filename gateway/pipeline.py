"""One call, from what came in to what goes out, in one straight line. Read this to know what the gateway
does.

    intake    the body is decoded, a token in it removed
    account   which platform, whose tokens
    writes    a modifying call: one flight for identical ones, the token put in, sent, retried where safe
    reads     a reading call: from the cache, from an identical question that is out, or asked likewise
    present   the answer in the caller's format

Refuses to know about HTTP towards the caller; that is the data plane's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.account import Account
from gateway.call import Answer, Call, Trail
from gateway.codec.negotiation import Format
from gateway.intake import Intake
from gateway.presentation import Presentation
from gateway.reads import Reads
from gateway.writes import Writes


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stations of a call, for one configuration. A reload makes a new one; a call ends with the one that
    it began with."""

    intake: Intake
    accounts: Mapping[str, Account]
    writes: Writes
    reads: Reads
    presentation: Presentation
    total_timeout: float  # seconds for a whole call

    async def answer(self, call: Call, body_format: Format, key: str | None, trail: Trail) -> Answer:
        """The platform's answer, or CallError when there is none."""
        request = await self.intake.read(call, body_format, key, trail.reply_format)
        trail.reply_format = request.reply_format
        account = self.accounts[request.account]
        if request.format is not account.writer.format:
            trail.conversions += ("xml_to_json" if request.format is Format.XML else "json_to_xml",)
        deadline = trail.started + self.total_timeout
        answerer = self.writes if request.method.effect.modifies else self.reads
        reply = await answerer.answer(account, request, deadline, trail)
        trail.code = reply.envelope.code
        trail.duplicate = reply.duplicate
        return await self.presentation.of_reply(request, reply, trail)

    async def delivered(self, trail: Trail, *, reached: bool) -> None:
        """Whether the caller got its answer: a modifying call's flight wants to know."""
        if trail.landing is not None:
            await self.writes.handed(trail.landing, reached=reached)
