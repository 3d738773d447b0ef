"""A call on its way out: the request with a token in it, and written anew when the platform rejects that one.

Refuses to decide whether it may be sent again: the sender does.
"""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.account import Account
from gateway.annex import TooMuchWorkError
from gateway.call import Request
from gateway.codec import xmlbody
from gateway.codec.body import MalformedBodyError
from gateway.codec.negotiation import Format
from gateway.intake import refusal
from gateway.offload import AT_ONCE, Offload
from gateway.records import TraceContext
from gateway.tokens.keeper import Token
from gateway.upstream.client import Outgoing

_JSON = Format.JSON

OnReplaced = Callable[[Token], Awaitable[None]]


class Letter:
    """One call of `account`. `token` is the one it carries now; None for a method that carries a token of its
    own kind."""

    def __init__(
        self,
        account: Account,
        request: Request,
        token: Token | None,
        request_id: str,
        offload: Offload,
        on_replaced: OnReplaced | None = None,
        trace: TraceContext | None = None,
    ) -> None:
        """`on_replaced` is told of another token before anything is sent with it. `trace` is the span of the
        call that it is sent for."""
        self.account = account
        self.request = request
        self.token = token
        self._request_id = request_id
        self._offload = offload
        self._on_replaced = on_replaced
        self._trace = trace

    def at_once(self) -> Outgoing | None:
        """As it goes out; None, where that has to be waited for, and `written` is to be asked."""
        writer, request, token = self.account.writer, self.request, self.token
        if writer.format is not _JSON or request.size > AT_ONCE:
            return None
        secret = None if token is None else token.secret
        return writer.write(request, secret, self._request_id, None, self._trace)

    async def written(self) -> Outgoing:
        """As it goes out. Raises CallError (400) for a value that the platform's format cannot carry."""
        writer, request = self.account.writer, self.request
        secret = None if self.token is None else self.token.secret
        try:
            document = None if writer.format is Format.JSON else await self._document()
            parts = request, secret, self._request_id, document, self._trace
            if request.size <= AT_ONCE:
                return writer.write(*parts)
            return await asyncio.to_thread(writer.write, *parts)
        except (MalformedBodyError, TooMuchWorkError) as error:
            raise refusal(error) from error

    async def _document(self) -> bytes:
        """The body in XML, still without the token, which goes nowhere but out."""
        body = self.account.writer.plain(self.request)
        return await self._offload.run(xmlbody.of_json, body, self.request.method.parameters)

    async def rewritten(self) -> Outgoing | None:
        """With the token that its source has by now; None when that is the same."""
        if self.token is None:
            return None
        other = await self.account.replacement(self.request.method.token_name, self.token)
        if other is None:
            return None
        if self._on_replaced is not None:
            await self._on_replaced(other)
        self.token = other
        return await self.written()
