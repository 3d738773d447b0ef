"""Finished exports: `GET <download_path>/...` passed on with the token in the header, piece by piece.

Never kept, never redirected elsewhere: a redirect would carry the token's fruit, or the caller, to a place
that nobody configured.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from starlette.types import Receive, Scope, Send

from gateway import errors
from gateway.codec import querystring
from gateway.codec.body import MalformedBodyError
from gateway.outgoing import USER_AGENT
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import Token
from gateway.tokens.secret import Secret
from gateway.upstream import failures
from gateway.upstream.admission import Admission
from gateway.upstream.extensions import MODIFIES, STREAM
from gateway.upstream.reply import TOKEN_REJECTED

log = logging.getLogger(__name__)

# Only what the platform's addresses are made of, so that nothing can climb out of the download path.
_REST = re.compile(rb"(?:/+[A-Za-z0-9._~=@:,+-]+)+")
LONGEST_REFUSAL = 64 * 1024
"""Bytes of an answer that is no file; what comes behind is cut off."""

Replacement = Callable[[Token], Awaitable[Token | None]]
"""Another value for a token that the platform rejected; None when there is none."""

_PASSED_ON = frozenset((b"content-type", b"content-length", b"content-disposition", b"retry-after"))


@dataclass(frozen=True, slots=True)
class Downloads:
    """The downloads of one account."""

    origin: httpx.URL
    path: bytes  # in front of every download, on the platform and here
    transport: httpx.AsyncBaseTransport
    admission: Admission
    owner: TaskOwner
    scrub: Callable[[bytes], bytes]  # masks every known token
    patience: float  # seconds that a caller may take for a piece

    async def serve(
        self, scope: Scope, rest: bytes, token: Token, replacement: Replacement, receive: Receive, send: Send
    ) -> None:
        """Stream the file at `rest` behind the download path. Raises CallError until the first byte went
        out."""
        if not _REST.fullmatch(rest) or any(set(part) <= {0x2E} and part for part in rest.split(b"/")):
            raise errors.CallError(errors.BAD_REQUEST, "this is no path of a download")
        try:
            _, query = querystring.take(scope["query_string"])
        except MalformedBodyError as error:
            raise errors.CallError(errors.BAD_REQUEST, str(error)) from error
        target = self.path + rest + (b"?" + query if query else b"")
        async with self.admission:
            response = await self._accepted(target, token, replacement)
            try:
                if response.is_success:
                    await self._pass_on(response, receive, send)
                else:
                    await self._pass_on_refusal(response, send)
            finally:
                await response.aclose()

    async def _accepted(self, target: bytes, token: Token, replacement: Replacement) -> httpx.Response:
        """The platform's answer: under another token where it rejects the first and there is another."""
        response = await self._open(target, token.secret)
        if response.status_code != TOKEN_REJECTED:
            return response
        other = await replacement(token)
        if other is None:
            return response
        await response.aclose()
        return await self._open(target, other.secret)

    async def _open(self, target: bytes, token: Secret) -> httpx.Response:
        request = httpx.Request(
            "GET",
            self.origin.copy_with(raw_path=target),
            headers=[
                (b"Host", self.origin.netloc),
                (b"Authorization", b"Bearer " + token.reveal().encode()),
                (b"Accept-Encoding", b"identity"),
                (b"User-Agent", USER_AGENT),
            ],
            extensions={STREAM: True, MODIFIES: False},
        )
        try:
            response = await self.transport.handle_async_request(request)
        except httpx.TransportError as error:
            kind = (
                errors.UPSTREAM_TIMEOUT
                if failures.kind_of(error) == "timeout"
                else errors.UPSTREAM_UNREACHABLE
            )
            raise errors.CallError(kind, "the platform did not answer") from error
        if response.is_redirect:
            await response.aclose()
            raise errors.CallError(
                errors.UPSTREAM_PROTOCOL, "the platform redirected the download; not followed"
            )
        return response

    async def _pass_on_refusal(self, response: httpx.Response, send: Send) -> None:
        """What is no file is short, and may echo what was sent: it is read whole and masked."""
        content = bytearray()
        async for piece in response.aiter_raw():
            content += piece[: LONGEST_REFUSAL - len(content)]
        body = self.scrub(bytes(content))
        headers = [
            (name, self.scrub(value)) for name, value in _passed_on(response) if name != b"content-length"
        ]
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _pass_on(self, response: httpx.Response, receive: Receive, send: Send) -> None:
        passed = _passed_on(response)
        await send({"type": "http.response.start", "status": response.status_code, "headers": passed})
        gone = self.owner.start(_until_gone(receive), "caller of a download")
        try:
            async for piece in response.aiter_raw():
                if gone.done():
                    return  # sending to nobody would pull the whole file for nothing
                # A caller that takes nothing would hold its place for ever.
                async with asyncio.timeout(self.patience):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            log.warning("a download was given up: its caller took nothing for %g seconds", self.patience)
        except httpx.TransportError as error:
            # The head is out: an end without the last byte is all that can still tell the caller.
            log.warning("a download broke off: %s", failures.kind_of(error))
        finally:
            gone.cancel()


async def _until_gone(receive: Receive) -> None:
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()


def _passed_on(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in response.headers.raw if name.lower() in _PASSED_ON]
