"""Replies as bytes, for what outlives the process. Refuses to let a token in: a platform that echoes one must
not bring it onto a disk."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from gateway.upstream.reply import Reply

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Reply)


@dataclass(frozen=True, slots=True)
class ReplyPacker:
    """Packs replies. `scrub` masks every known token; for use from any thread."""

    scrub: Callable[[bytes], bytes]

    def pack(self, reply: object) -> bytes:
        assert isinstance(reply, Reply)
        return _ENCODER.encode(self._scrubbed(reply))

    def unpack(self, data: bytes) -> Reply:
        """Raises msgspec.DecodeError for what `pack` did not make."""
        return _DECODER.decode(data)

    def _scrubbed(self, reply: Reply) -> Reply:
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
