"""One attempt at the platform: a request goes out, an answer comes back, or it is said exactly what did not.

Refuses to retry: who does needs to know what a second sending means.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import httpx
import msgspec

from gateway.annex import TooMuchWorkError
from gateway.catalogue.model import ApiMethod
from gateway.codec.body import BodyLimits
from gateway.codec.gzipped import GzipError, TooLongError
from gateway.offload import UNCOUNTED, Offload, is_cheap
from gateway.records import AttemptRecord, FailureKind, TraceContext
from gateway.upstream import failures
from gateway.upstream.coding import plain
from gateway.upstream.reply import NoAnswerError, Reply, read_body, read_reply
from gateway.upstream.reply_head import read_head
from gateway.upstream.wire import Destination, Transport, WireReply

GATEWAY_TIMEOUT = 504

INFLATED_AT_ONCE = 64 * 1024
"""Bytes that are inflated on the loop: a fifth of a millisecond."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A request as it goes to the platform; the same bytes on every attempt, but for a trace's headers."""

    to: Destination
    head: bytes  # request line and headers, as a transport wants them
    body: bytes
    method: ApiMethod
    untouched: bool  # the answer may be in any format
    trace: TraceContext | None = None  # the span of the call that it is sent for


@dataclass(frozen=True, slots=True)
class Reading:
    """How replies are read: where, and within which limits if they are XML, or coded."""

    offload: Offload
    limits: BodyLimits
    size: int  # bytes without a coding


class AttemptError(Exception):
    """No answer. `written` is False only when it is certain that no byte of the request left. `ours`: the
    platform answered, and the gateway has not the means to read it, so another attempt would not help."""

    def __init__(
        self,
        kind: FailureKind,
        *,
        written: bool,
        text: str,
        retry_after: bytes | None = None,
        ours: bool = False,
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.written = written
        self.text = text
        self.ours = ours
        self.retry_after = retry_after  # a front server's word, as it came


async def attempt(transport: Transport, outgoing: Outgoing, deadline: float, reading: Reading) -> Reply:
    """Send once. `deadline` is a time of the running loop's clock. Raises AttemptError."""
    method = outgoing.method
    try:
        reply = await transport.call(
            outgoing.to,
            outgoing.head,
            outgoing.body,
            modifies=method.effect.modifies,
            deadline=deadline,
        )
        head, body = read_head(reply.headers), reply.body
        if head.coding and body:
            body = await _plain(reply, head.coding, reading.size)
        if len(body) <= UNCOUNTED or is_cheap(body):
            enclosed = read_body(body, method.item_results, reading.limits)
        else:
            enclosed = await reading.offload.beside(read_body, body, method.item_results, reading.limits)
        return read_reply(reply.status, head, body, outgoing.untouched, enclosed)
    except TooMuchWorkError as error:
        text = f"the platform's answer cannot be read: {error}"
        raise AttemptError("protocol", written=True, text=text, ours=True) from error
    except NoAnswerError as error:
        # A front server's 504 says that it gave up waiting: the platform may still be running the call.
        kind: FailureKind = "timeout" if error.status == GATEWAY_TIMEOUT else "protocol"
        raise AttemptError(kind, written=True, text=str(error), retry_after=error.retry_after) from error
    except httpx.TransportError as error:
        # The exception's own words may hold addresses and pieces of the peer's bytes: they stay in the chain.
        kind = failures.kind_of(error)
        raise AttemptError(kind, written=failures.was_written(error), text=_TEXTS[kind]) from error


async def _plain(reply: WireReply, coded: bytes, limit: int) -> bytes:
    """The body without its coding. Raises NoAnswerError."""
    body = reply.body
    try:
        if len(body) <= UNCOUNTED:
            with suppress(TooLongError):
                return plain(body, coded, INFLATED_AT_ONCE)
        return await asyncio.to_thread(plain, body, coded, limit)
    except GzipError as error:
        text = f"the platform's answer cannot be read: {error}"
        raise NoAnswerError(text, reply.status, None) from error


def record(
    outgoing: Outgoing,
    account: str,
    seconds: float,
    result: Reply | AttemptError,
    number: int = 1,
    trace: TraceContext | None = None,
) -> AttemptRecord:
    """What metrics and traces are told of an attempt; `trace` is its own span."""
    method = outgoing.method
    if isinstance(result, Reply):
        said = result.envelope
        return AttemptRecord(
            api_method=method.label,
            account=account,
            seconds=seconds,
            token=method.token_name,
            code=said.code,
            duplicate=result.duplicate,
            item_codes=said.item_codes,
            number=number,
            status=result.status,
            trace=trace,
        )
    return AttemptRecord(
        api_method=method.label,
        account=account,
        seconds=seconds,
        token=method.token_name,
        failure=result.kind,
        number=number,
        trace=trace,
    )


_TEXTS: dict[FailureKind, str] = {
    "connect": "the platform cannot be reached",
    "timeout": "the platform did not answer in time",
    "reset": "the platform closed the connection",
    "protocol": "the platform's answer was not proper HTTP",
    "tls": "no trusted TLS connection to the platform",
}
