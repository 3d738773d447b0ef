"""Keeps one configured token usable: reads it, watches its source, replaces it while calls go on.

A value that was usable once is never given up for one that is not: an empty or unreadable source leaves the
old token in place and is reported. Calls take `current` once and end with what they took.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from gateway.errors import TokenMissingError
from gateway.occurrence import event
from gateway.tokens.secret import Secret
from gateway.tokens.sources import TokenSource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """One value of a configured token."""

    secret: Secret
    epoch: int  # one more for each value that replaced another
    loaded_at: float  # by the keeper's clock


@dataclass(frozen=True, slots=True)
class TokenState:
    """What readiness and the status page say of a token."""

    account: str
    name: str
    source: str
    epoch: int  # 0 while there is no token
    loaded_at: float | None
    problem: str  # why the last look gave nothing usable; "" when it did


class TokenKeeper:
    """The keeper of the token `name` of `account`.

    `on_change` is told each new value, the first one included, before any call can take it: that is when the
    redactor has to learn it. `clock` gives seconds; `interval` is the time between two looks at the source.
    `first_epoch` is above 1 where another keeper of that name was before: what is kept under its tokens is
    not this one's.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        account: str,
        name: str,
        clock: Callable[[], float],
        on_change: Callable[[Token], None],
        interval: float = 1.0,
        first_epoch: int = 1,
    ) -> None:
        self._source = source
        self._account = account
        self._name = name
        self._clock = clock
        self._on_change = on_change
        self._interval = interval
        self._first_epoch = first_epoch
        self._token: Token | None = None
        self._version: Hashable = None
        self._problem = ""
        self._reading: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def current(self) -> Token:
        """The value to use for a call that starts now. Raises TokenMissingError while there is none."""
        if self._token is None:
            raise TokenMissingError(self._problem or f"{self._source.describe()}: not read yet")
        return self._token

    @property
    def state(self) -> TokenState:
        token = self._token
        return TokenState(
            account=self._account,
            name=self._name,
            source=self._source.describe(),
            epoch=token.epoch if token else 0,
            loaded_at=token.loaded_at if token else None,
            problem=self._problem,
        )

    async def start(self, *, patient: bool = False) -> None:
        """Reads the token and begins to watch its source. Raises TokenMissingError without a usable one,
        unless it is `patient` and the token may come later."""
        await self.refresh()
        if self._token is None:
            if not (patient and self._source.may_come_later):
                raise TokenMissingError(self._problem)
            self._complain()
        if self._version is not None:
            self._watching = asyncio.create_task(self._watch(), name=f"watch token {self._label}")

    async def refresh(self) -> None:
        """Reads the source at once; callers at the same time share one read.

        A source that has nothing usable is no error here: `current` stays as it was and `state` says why.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name=f"read token {self._label}")
            self._reading.add_done_callback(self._forget_reading)
        # A caller that is cancelled must not take the read away from the others.
        await asyncio.shield(self._reading)

    async def after_rejection(self, rejected: Token) -> Token:
        """The token to use now that the platform did not take `rejected`: its source is read at once, unless
        it has been replaced since. `rejected` itself when there is no other."""
        if self._token is rejected:
            await self.refresh()
        return self._token or rejected

    async def poll(self) -> None:
        """One look at the source. After a failed read every look reads: new permissions change no version."""
        if self._problem or await self._source.version() != self._version:
            await self.refresh()

    async def aclose(self) -> None:
        """Ends the watching. The token stays usable for the calls in flight."""
        tasks = [task for task in (self._watching, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watching = None

    @property
    def _label(self) -> str:
        return f"{self._account}/{self._name}"

    @property
    def _named(self) -> dict[str, str]:
        return {"account": self._account, "token": self._name}

    def _forget_reading(self, _: asyncio.Task[None]) -> None:
        self._reading = None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.poll()
            except Exception:  # the owner of the task: one bad look must not end the watching
                logger.exception("looking at the source of token %s failed", self._label)

    async def _read(self) -> None:
        # The version first: a change in between is then seen by the next look, not lost.
        self._version = await self._source.version()
        try:
            secret = await self._source.read()
        except TokenMissingError as missing:
            self._report(str(missing))
            return
        self._report("")
        self._take(secret)

    def _take(self, secret: Secret) -> None:
        old = self._token
        if old is not None and old.secret == secret:
            return
        epoch = self._first_epoch if old is None else old.epoch + 1
        token = Token(secret, epoch, loaded_at=self._clock())
        self._on_change(token)
        self._token = token
        if old is not None:
            logger.info(
                "token %s was replaced from %s",
                self._label,
                self._source.describe(),
                extra=event("token_replaced", **self._named),
            )

    def _report(self, problem: str) -> None:
        """Logs a change for better or worse once, not at every look."""
        if problem == self._problem:
            return
        self._problem = problem
        if self._token is None and self._watching is None:
            return  # nobody uses it yet, and who starts it is told
        if problem:
            self._complain()
        else:
            state = "can be read again" if self._token is not None else "has come"
            logger.info(
                "token %s %s from %s",
                self._label,
                state,
                self._source.describe(),
                extra=event("token_readable", **self._named),
            )

    def _complain(self) -> None:
        state = "stays as it is" if self._token is not None else "is not there yet"
        logger.error(
            "token %s %s: %s",
            self._label,
            state,
            self._problem,
            extra=event("token_unreadable", **self._named),
        )
