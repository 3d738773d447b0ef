"""A token in Vault: read now and then, sooner when there is a reason, and never in a hurry.

A Vault that fails is asked again after a pause that doubles; all pauses are spread by chance, so that many
gateways that started together do not ask together.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from gateway.errors import TokenMissingError
from gateway.tokens.secret import Secret
from gateway.tokens.vault.client import VaultError

LEAST = 1.0
"""Seconds between two readings, whoever asks for them: a platform that rejects every call asks for many."""

LONGEST = 30.0
"""Seconds after which a Vault that keeps failing is asked again."""

_SPREAD = 0.1
_MOST_DOUBLINGS = 16  # beyond LONGEST, and before a float overflows


class Session(Protocol):
    """What reads secrets; see `VaultSession`."""

    @property
    def address(self) -> str: ...

    @property
    def step_at(self) -> float: ...

    async def read(self, mount: str, path: str) -> Mapping[str, object]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """Which key of which secret. `refresh` is in seconds."""

    mount: str
    path: str
    key: str
    refresh: float


class VaultSource:
    """A TokenSource. `clock` is that of the session; `chance` gives 0..1."""

    may_come_later: ClassVar[bool] = True

    def __init__(
        self, session: Session, place: Place, clock: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._session = session
        self._place = place
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._problem = ""
        self._read_at = float("-inf")
        self._retry_at = float("-inf")  # until then the problem is the answer
        self._due = float("inf")  # from then on it is worth reading again
        self._period = 0

    def describe(self) -> str:
        return f"vault {self._session.address} {self._place.mount}/{self._place.path}"

    async def version(self) -> Hashable:
        """Another one when it is time to read again: only reading tells whether anything changed."""
        if self._clock() >= self._due:
            self._period += 1
            self._due = float("inf")
        return self._period

    async def read(self) -> Secret:
        if self._clock() < self._retry_at:
            raise TokenMissingError(self._problem)
        await asyncio.sleep(self._read_at + LEAST - self._clock())
        self._read_at = self._clock()
        try:
            secret = self._token(await self._session.read(self._place.mount, self._place.path))
        except (VaultError, TokenMissingError) as error:
            self._put_off(str(error))
            raise TokenMissingError(self._problem) from None
        self._plan()
        return secret

    def _token(self, content: Mapping[str, object]) -> Secret:
        key = self._place.key
        value = content.get(key)
        if value is None:
            raise VaultError(f"the secret has no key {key}")
        if not isinstance(value, str):
            raise VaultError(f"the key {key} holds no text")
        return Secret.parse(value.encode("utf-8", "surrogatepass"), f"key {key}")

    def _put_off(self, problem: str) -> None:
        pause = min(LONGEST, 2.0 ** min(self._failures, _MOST_DOUBLINGS))
        self._problem = f"{self.describe()}: {problem}"
        self._failures += 1
        self._retry_at = self._clock() + pause * (0.5 + self._chance() / 2)

    def _plan(self) -> None:
        """When to read again: at the pace that the settings say, or sooner when the login needs a look."""
        now = self._clock()
        pause = self._place.refresh * (1 - _SPREAD + 2 * _SPREAD * self._chance())
        self._failures = 0
        self._due = min(now + pause, max(now + LEAST, self._session.step_at))
