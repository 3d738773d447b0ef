"""The body of a request, read once and whole. Refuses to read more than it was told, or to wait for ever."""

import asyncio
from typing import TYPE_CHECKING

from gateway import errors
from gateway.headers import CONTENT_ENCODING, CONTENT_LENGTH, Headers

if TYPE_CHECKING:
    from starlette.types import Receive


class CallerGone(Exception):  # noqa: N818 - an event, not a fault: nobody is left to answer
    """The caller hung up before its request was whole."""


async def read(receive: "Receive", headers: Headers, limit: int, timeout: float) -> bytes:  # noqa: ASYNC109
    """The whole body. Raises CallError (413 over `limit` bytes, 408 after `timeout` seconds, 415 when
    encoded).

    The length is believed when it is too large and counted in any case: a chunked body states none.
    """
    if headers.get(CONTENT_ENCODING, b"identity").strip().lower() not in (b"identity", b""):
        raise errors.CallError(errors.UNSUPPORTED_TYPE, "an encoded (compressed) body is not accepted")
    length = headers.get(CONTENT_LENGTH, b"0")
    if length.isdigit() and int(length[:20]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(timeout):
            return await _read(receive, limit)
    except TimeoutError:
        raise errors.CallError(errors.BODY_TIMEOUT, "the body did not arrive in time") from None


async def _read(receive: "Receive", limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join([*pieces, piece]) if pieces else piece
        pieces.append(piece)


def _too_large(limit: int) -> errors.CallError:
    return errors.CallError(errors.BODY_TOO_LARGE, f"the body is larger than {limit} bytes")
