"""How the gateway proves to Vault who it is: by AppRole, or by a token that somebody else got for it.

Its credentials come from the environment or files, as tokens do, and are read anew at every look.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from gateway.tokens.secret import Secret
from gateway.tokens.sources import TokenSource
from gateway.tokens.vault.client import VaultClient, VaultDeniedError
from gateway.tokens.vault.lease import Lease

Credentials = tuple[Secret, ...]


class Login(Protocol):
    """One way to log in."""

    async def credentials(self) -> Credentials:
        """As they are now. Raises TokenMissingError."""
        ...

    def log_in(self, client: VaultClient, credentials: Credentials) -> Lease:
        """Blocks. Raises VaultError."""
        ...


@dataclass(frozen=True, slots=True)
class AppRoleLogin:
    """Vault's login for machines."""

    mount: str
    role_id: TokenSource
    secret_id: TokenSource

    async def credentials(self) -> Credentials:
        return tuple(await asyncio.gather(self.role_id.read(), self.secret_id.read()))

    def log_in(self, client: VaultClient, credentials: Credentials) -> Lease:
        role_id, secret_id = credentials
        return client.log_in(self.mount, role_id, secret_id)


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token of Vault's, such as an agent keeps in a file."""

    token: TokenSource

    async def credentials(self) -> Credentials:
        return (await self.token.read(),)

    def log_in(self, client: VaultClient, credentials: Credentials) -> Lease:
        """Asks how long the token is good for. One that may not ask that may yet read the secret."""
        (token,) = credentials
        try:
            return client.look_up(token)
        except VaultDeniedError:
            return Lease(token, 0.0, 0.0, renewable=False)
