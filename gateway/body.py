"""What the head of a request says of its body: whether it can be read at all. Refuses before a byte of it is
waited for; the bytes themselves are counted where they come in (`exchange`), since a chunked body states no
length."""

from typing import TYPE_CHECKING

from gateway import errors
from gateway.exchange import CallerGone
from gateway.headers import CONTENT_ENCODING, CONTENT_LENGTH, Headers

if TYPE_CHECKING:
    from starlette.types import Receive


def check(headers: Headers, limit: int) -> int:
    """How many bytes it may have: as many as it says, or `limit` if it does not say. Raises CallError: 415
    for an encoded body, 413 for one that is said to be longer than `limit` bytes."""
    encoding = headers.get(CONTENT_ENCODING)
    if encoding is not None and encoding.strip().lower() not in (b"identity", b""):
        raise errors.CallError(errors.UNSUPPORTED_TYPE, "an encoded (compressed) body is not accepted")
    length = headers.get(CONTENT_LENGTH)
    if length is None or not length.isdigit():
        return limit
    size = int(length[:20])
    if size > limit:
        raise errors.body_too_large(limit)
    return size


async def read(receive: "Receive", headers: Headers, limit: int) -> bytes:
    """The whole body of a request to the control plane. Raises CallError (413, 415) and CallerGone."""
    check(headers, limit)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise errors.body_too_large(limit)
        if not message.get("more_body", False):
            return b"".join(pieces)
