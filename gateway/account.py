"""A platform, and who we are there."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gateway import errors
from gateway.catalogue.model import ApiMethod
from gateway.outgoing import Writer
from gateway.tokens.keeper import Token, TokenKeeper
from gateway.upstream.sender import Sender


@dataclass(frozen=True, slots=True)
class Account:
    """One base URL, its tokens, and the way there."""

    name: str
    base_url: str
    tokens: Mapping[str, TokenKeeper]
    writer: Writer
    sender: Sender
    repeatable: bool  # the platform recognises repeats by their Request-ID

    def token(self, method: ApiMethod) -> Token | None:
        """The token for a method; None for one that carries a token of its own kind."""
        if not method.carries_token:
            return None
        return self.named_token(method.token_name)

    def named_token(self, name: str) -> Token:
        """The token as it is now. Raises CallError (503) while there is none."""
        try:
            return self.tokens[name].current
        except errors.TokenMissingError as error:
            raise errors.CallError(
                errors.TOKEN_MISSING, "no token for the platform; nothing was sent", {"Retry-After": "1"}
            ) from error

    async def replacement(self, name: str, rejected: Token) -> Token | None:
        """Another value for a token that the platform did not take; None when its source has none."""
        token = await self.tokens[name].after_rejection(rejected)
        return None if token.secret == rejected.secret else token


_NO_TOKEN = hashlib.blake2b(b"", digest_size=32).digest()


def token_mark(token: Token | None, request_id: str) -> bytes:
    """What tells later whether a call would still go out under the same token, without keeping the token.

    The platform's repeat rule goes by `Request-ID` and token together, so a keyed hash of the one under the
    other says exactly what is needed.
    """
    key = _NO_TOKEN if token is None else token.secret.key
    return hashlib.blake2b(request_id.encode(), key=key, digest_size=16).digest()
