"""One call, from what came in to what goes out, in one straight line. Read this to know what the gateway
does.

    intake    the body is decoded, a token in it removed
    account   which platform, whose tokens
    writes    a modifying call: one flight for identical ones, the token put in, sent, retried where safe
    reads     a reading call: from the cache, from an identical question that is out, or asked likewise
    present   the answer in the caller's format

Between the stations a call lets the others come as far (`asyncio.sleep(0)`): ten calls one after the other in
the same code cost a tenth less than each in all of it, which is more than a processor's nearest cache holds.

Refuses to know about HTTP towards the caller; that is the data plane's.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.account import Account
from gateway.call import Answer, Call, Trail
from gateway.codec.negotiation import Format
from gateway.intake import Intake
from gateway.offload import is_cheap
from gateway.presentation import Presentation
from gateway.reads import Reads, note_kept
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

    async def answer(self, call: Call, trail: Trail) -> Answer:
        """The platform's answer, or CallError when there is none."""
        intake = self.intake
        if not call.head.target.method.effect.modifies and (found := self.at_hand(call, trail)) is not None:
            return found
        request = intake.read(call) if is_cheap(call.body) else await intake.read_beside(call)
        trail.reply_format = request.reply_format
        account = self.accounts[request.account]
        if request.format is not account.writer.format:
            trail.conversions += ("xml_to_json" if request.format is Format.XML else "json_to_xml",)
        deadline = trail.started + self.total_timeout
        await asyncio.sleep(0)
        if request.method.effect.modifies:
            reply = await self.writes.answer(account, request, deadline, trail)
        else:
            reply = await self.reads.answer(account, request, deadline, trail)
            if trail.cache == "hit":  # and the next one may be answered at once
                intake.learn(call, request)
        await asyncio.sleep(0)
        trail.code = reply.envelope.code
        trail.duplicate = reply.duplicate
        ready = self.presentation.at_once(reply, request.reply_format)
        return ready or await self.presentation.of_reply(request, reply, trail)

    def at_hand(self, call: Call, trail: Trail) -> Answer | None:
        """The answer of a read, where its body and its reply are known here and nothing is to be waited for;
        else None, and nothing is noted. Raises CallError."""
        head, gist = call.head, self.intake.gist(call)
        account = self.accounts[head.target.account]
        if gist is None or gist.untouched or head.format is not account.writer.format:
            return None
        found = self.reads.at_hand(account, head.target.method, gist.fingerprint, head.cache_control)
        if found is None:
            return None
        reply, decision = found
        answer = self.presentation.at_once(reply, gist.reply_format, kept=True)
        if answer is not None:
            note_kept(decision, trail)
            trail.reply_format, trail.code = gist.reply_format, reply.envelope.code
        return answer

    async def delivered(self, trail: Trail, *, reached: bool) -> None:
        """Whether the caller got its answer: a modifying call's flight wants to know."""
        if trail.landing is not None:
            await self.writes.handed(trail.landing, reached=reached)
