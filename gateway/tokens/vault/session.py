"""One login at one Vault, shared by all tokens that are read through it.

Any request may fail: what is held is given up only when Vault says that it is worth nothing. One request at
a time, each in a thread of its own that is left behind when it hangs, so that a Vault that does not answer
keeps nothing else from going on, the end of the process included.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from gateway.errors import TokenMissingError
from gateway.tokens.secret import Secret
from gateway.tokens.vault.client import VaultClient, VaultDeniedError, VaultError, VaultRefusedError
from gateway.tokens.vault.lease import Lease, Step
from gateway.tokens.vault.login import Credentials, Login
from gateway.worker import Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")


class VaultSession:
    """`learn` is told each secret of the login, and the part that it plays, before it is used."""

    def __init__(
        self,
        client: VaultClient,
        login: Login,
        learn: Callable[[Secret, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._login = login
        self._learn = learn
        self._clock = clock
        self._credentials: Credentials | None = None  # those of the lease
        self._lease: Lease | None = None
        self._turn = asyncio.Lock()

    @property
    def address(self) -> str:
        return self._client.server.address

    @property
    def step_at(self) -> float:
        """When the login needs another look, by the clock; infinity when it does not."""
        return self._lease.step_at if self._lease is not None else float("inf")

    async def read(self, mount: str, path: str) -> Mapping[str, object]:
        """The content of a secret. Raises VaultError, or TokenMissingError without credentials."""
        async with self._turn:
            old = self._lease
            lease = await self._current()
            try:
                return await self._ask(partial(self._client.read, lease.token, mount, path))
            except VaultDeniedError:
                if lease is not old:
                    raise  # it is not for want of a good login
            # The login may have been revoked, or lost with the data of a Vault that was set up anew.
            lease = await self._log_in(await self._login.credentials())
            return await self._ask(partial(self._client.read, lease.token, mount, path))

    async def _current(self) -> Lease:
        """A login that is good now."""
        lease = self._lease
        if lease is None:
            return await self._log_in(await self._login.credentials())
        credentials = await self._readable_credentials()
        if credentials != self._credentials:
            return await self._log_in(credentials)
        match lease.step(self._clock()):
            case Step.NOTHING:
                return lease
            case Step.RENEWAL:
                return await self._renewed(lease, credentials)
            case Step.LOGIN:
                return await self._log_in(credentials)

    async def _readable_credentials(self) -> Credentials:
        """Those of the lease when there are none to be read: it needs none of them yet."""
        assert self._credentials is not None
        try:
            return await self._login.credentials()
        except TokenMissingError:
            return self._credentials

    async def _renewed(self, lease: Lease, credentials: Credentials) -> Lease:
        try:
            answer = await self._ask(partial(self._client.renew, lease.token))
        except (VaultDeniedError, VaultRefusedError):
            return await self._log_in(credentials)
        except VaultError:
            return lease  # it is good for a while yet, and is renewed at another look
        self._lease = lease.renewed(answer)
        return self._lease

    async def _log_in(self, credentials: Credentials) -> Lease:
        for number, secret in enumerate(credentials):
            self._learn(secret, f"credential {number}")
        lease = await self._ask(partial(self._login.log_in, self._client, credentials))
        self._learn(lease.token, "login")
        self._lease, self._credentials = lease, credentials
        logger.info("logged in at vault %s", self.address)
        return lease

    async def _ask(self, work: Callable[[], T]) -> T:
        """Have `work` done beside the loop; waits no longer for it than Vault may take. Raises VaultError."""
        try:
            async with asyncio.timeout(self._client.server.timeout):
                return await _aside(work)
        except TimeoutError:
            self._client.forget_connections()
            raise VaultError("it did not answer in time") from None


async def _aside(work: Callable[[], T]) -> T:
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def settle(end: T | Exception) -> None:
        if done.done():
            return  # nobody waits any more
        if isinstance(end, Exception):
            done.set_exception(end)
        else:
            done.set_result(end)

    worker = Worker("vault")
    worker.do(work, settle)
    worker.stop()
    return await done
