"""Replies as bytes, for what outlives the process. Refuses to let a token in: a platform that echoes one must
not bring it onto a disk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import msgspec

from gateway import errors
from gateway.policy.flight import Ended
from gateway.records import FailureKind, TraceContext
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import Reply
from gateway.upstream.sender import Failure, Outcome

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reply)


@dataclass(frozen=True, slots=True)
class ReplyPacker:
    """Packs replies. `scrub` masks every known token; for use from any thread."""

    scrub: Callable[[bytes], bytes]

    def pack(self, reply: object) -> bytes:
        assert isinstance(reply, Reply)
        return _ENCODER.encode(self.scrubbed(reply))

    def unpack(self, data: bytes) -> Reply:
        """Raises msgspec.DecodeError for what `pack` did not make."""
        return _DECODER.decode(data)

    def scrubbed(self, reply: Reply) -> Reply:
        """Before it is packed: a mask is shorter than what it hides, and lengths are part of the format."""
        text = reply.envelope.error_text
        if text is not None:
            text = self.scrub(text.encode("utf-8", "replace")).decode()
        return msgspec.structs.replace(
            reply,
            body=self.scrub(reply.body),
            content_type=self.scrub(reply.content_type),
            retry_after=None if reply.retry_after is None else self.scrub(reply.retry_after),
            envelope=msgspec.structs.replace(reply.envelope, error_text=text),
        )


class _Failed(msgspec.Struct, frozen=True, array_like=True):
    """A failure as it crosses to another process: of an attempt, or the gateway's own under its name."""

    name: str
    text: str
    is_attempt: bool
    written: bool = False
    headers: dict[str, str] = {}


class _End(msgspec.Struct, frozen=True, array_like=True):
    reply: Reply | None
    failure: _Failed | None
    lost: bool
    unknown: bool
    trace: TraceContext | None = None


_KINDS = {kind.name: kind for kind in vars(errors).values() if isinstance(kind, errors.ErrorKind)}
_END_DECODER = msgspec.msgpack.Decoder(_End)


@dataclass(frozen=True, slots=True)
class EndPacker:
    """Packs how flights ended, for those who wait for them in other processes."""

    replies: ReplyPacker

    def pack(self, ended: object) -> bytes:
        assert isinstance(ended, Ended)
        outcome = ended.outcome
        assert isinstance(outcome, Outcome)
        reply = None if outcome.reply is None else self.replies.scrubbed(outcome.reply)
        failed = _failed(outcome.failure)
        return _ENCODER.encode(_End(reply, failed, outcome.lost, ended.unknown, outcome.trace))

    def unpack(self, data: bytes) -> Ended:
        """Raises msgspec.DecodeError for what `pack` did not make."""
        end = _END_DECODER.decode(data)
        outcome = Outcome(reply=end.reply, failure=_failure(end.failure), lost=end.lost, trace=end.trace)
        return Ended(outcome, end.unknown)


def _failed(failure: Failure | None) -> _Failed | None:
    match failure:
        case AttemptError():
            return _Failed(failure.kind, failure.text, True, failure.written)
        case errors.CallError():
            return _Failed(failure.kind.name, failure.text, False, headers=dict(failure.headers))
        case None:
            return None


def _failure(failed: _Failed | None) -> Failure | None:
    if failed is None:
        return None
    if failed.is_attempt:
        kind = cast(FailureKind, failed.name)
        return AttemptError(kind, written=failed.written, text=failed.text)
    return errors.CallError(_KINDS.get(failed.name, errors.INTERNAL), failed.text, failed.headers)
