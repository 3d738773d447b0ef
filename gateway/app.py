"""The running gateway: what lives as long as the process, and the order in which it starts and stops.

    start   tokens are read, then watched; the loop's lag is measured
    drain   not ready from now on; what is under way may end
    stop    connections, watchers, worker and log are closed

Which parts answer calls is `assembly`'s to say; who listens on which socket is `server`'s.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from prometheus_client import CollectorRegistry

from gateway import __version__
from gateway.assembly import Keepers, Runtime, Surroundings, assemble
from gateway.catalogue.model import DEFAULT_TOKEN, Catalogue
from gateway.control.application import control_application
from gateway.control.readiness import Check, checks
from gateway.dataplane import DataPlane
from gateway.errors import TokenMissingError
from gateway.identity import id_maker
from gateway.listener import Listener
from gateway.observe.calllog import CallLog
from gateway.observe.events import configure_logging
from gateway.observe.labels import Names
from gateway.observe.live import Live
from gateway.observe.looplag import LoopLag
from gateway.observe.metrics import Metrics
from gateway.observe.sink import LogSink
from gateway.offload import Offload
from gateway.records import AttemptRecord, CallRecord
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.settings.token_source import TokenSource as TokenSettings
from gateway.tasks import TaskOwner
from gateway.tokens.keeper import Token, TokenKeeper
from gateway.tokens.redaction import Redactor
from gateway.tokens.sources import EnvSource, FileSource, TokenSource
from gateway.upstream.stats import PoolStats

TOKEN_REJECTED = 401
"""The platform's code for a token that it does not take."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class World:
    """What the gateway takes from outside, so that a test can give it another."""

    environ: Mapping[str, str]
    stdout: BinaryIO
    wall_clock: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic  # the loop's own, but uvloop's goes by whole milliseconds
    random_bytes: Callable[[int], bytes] = os.urandom


class Gateway:
    """One gateway, made inside the event loop that it runs in."""

    def __init__(self, settings: Settings, catalogue: Catalogue, world: World) -> None:
        self.settings = settings
        self.draining = False
        self._clock = world.clock
        self._owner = TaskOwner()
        self._offload = Offload()
        self._redactor = Redactor(self._redacted)
        self._sink = LogSink(world.stdout, lambda data: self._redactor.mask_bytes(data, "log"))
        self._call_log = CallLog(self._sink.write, settings.log.format.value, settings.log.calls.value)
        self._keepers = self._token_keepers(settings, world)
        self._lag = LoopLag(self._clock)
        self.runtime = self._assemble(catalogue)
        self.metrics = Metrics(
            CollectorRegistry(auto_describe=False),
            self._names(),
            version=__version__,
            started_at=world.wall_clock(),
        )
        self._calls = DataPlane(
            self.runtime.rules,
            observe=self._observe_call,
            clock=self._clock,
            wall_clock=world.wall_clock,
            new_id=id_maker(world.wall_clock, world.random_bytes),
        )
        self.metrics.watch(self._live())
        control = control_application(self.metrics.scrape, self.checks)
        self.application = Listener(self._calls, control, self.runtime.downloads)

    async def start(self) -> None:
        """Raises TokenMissingError when a token is not there: a gateway without one could only refuse."""
        self._sink.start()
        self._undo_logging = configure_logging(
            self._sink.write, self.settings.log.format.value, self.settings.log.level.value
        )
        self._lag.start()
        for account, keepers in self._keepers.items():
            for name, keeper in keepers.items():
                try:
                    await keeper.start()
                except TokenMissingError as error:
                    raise TokenMissingError(f"{_token_key(account, name)}: {error}") from error

    def drain(self) -> None:
        """Say that no new callers are wanted; calls are still answered."""
        self.draining = True

    async def stop(self, patience: float) -> None:
        """Let what is under way end for `patience` seconds at most, then close everything."""
        left = await self._owner.finish(patience)
        if left:
            log.warning("%d calls were still under way when the gateway stopped", left)
        await self._owner.cancel()
        await self.runtime.aclose()
        for keepers in self._keepers.values():
            for keeper in keepers.values():
                await keeper.aclose()
        await self._lag.aclose()
        self._offload.close()
        self._undo_logging()
        self._sink.close()

    def checks(self) -> tuple[Check, ...]:
        states = (keeper.state for keepers in self._keepers.values() for keeper in keepers.values())
        return checks(draining=self.draining, tokens=states)

    def _assemble(self, catalogue: Catalogue) -> Runtime:
        around = Surroundings(
            owner=self._owner,
            offload=self._offload,
            scrub=lambda data: self._redactor.mask_bytes(data, "reply"),
            clock=self._clock,
            observe_attempt=self._observe_attempt,
            flight_ended=lambda method, outcome: self.metrics.flight_ended(method, outcome),
        )
        return assemble(self.settings, catalogue, self._keepers, around)

    def _token_keepers(self, settings: Settings, world: World) -> Keepers:
        return {
            account: {
                name: TokenKeeper(
                    _source(source, world.environ),
                    account=account,
                    name=name,
                    clock=self._clock,
                    on_change=self._learner(account, name),
                )
                for name, source in {DEFAULT_TOKEN: of.token, **of.tokens}.items()
            }
            for account, of in settings.all_accounts().items()
        }

    def _learner(self, account: str, name: str) -> Callable[[Token], None]:
        """What happens with a new value, before any call can take it."""

        def learn(token: Token) -> None:
            self._redactor.add(token.secret, f"{account}/{name}")
            if token.epoch > 1:
                self.metrics.token_rotated(account, name)

        return learn

    def _names(self) -> Names:
        return Names(
            methods=tuple(self.runtime.catalogue),
            accounts=tuple(self._keepers),
            tokens=tuple((account, name) for account, keepers in self._keepers.items() for name in keepers),
            callers=tuple(self.settings.callers.known),
        )

    def _live(self) -> Live:
        runtime = self.runtime
        return Live(
            requests_in_progress=lambda: self._calls.in_progress,
            requests_queued=lambda: sum(admission.queued for admission in runtime.admissions.values()),
            connections=lambda: {
                (account, state): count
                for account, transport in runtime.transports.items()
                for state, count in _by_state(transport.stats()).items()
            },
            token_ages=self._token_ages,
            loop_lag=self._lag.worst,
        )

    def _token_ages(self) -> Mapping[tuple[str, str], float]:
        now = self._clock()
        states = (keeper.state for keepers in self._keepers.values() for keeper in keepers.values())
        return {
            (state.account, state.name): now - state.loaded_at
            for state in states
            if state.loaded_at is not None
        }

    def _observe_call(self, record: CallRecord) -> None:
        self.metrics.call(record)
        self._call_log.call(record)

    def _observe_attempt(self, record: AttemptRecord) -> None:
        self.metrics.attempt(record)
        if record.code == TOKEN_REJECTED and record.token:
            self.metrics.token_rejected(record.account, record.token)

    def _redacted(self, sink: str, count: int) -> None:
        self.metrics.redacted(sink, count)


def _source(settings: TokenSettings, environ: Mapping[str, str]) -> TokenSource:
    if settings.env is not None:
        return EnvSource(settings.env, environ)
    if settings.file is not None:
        return FileSource(settings.file)
    raise TokenMissingError("vault: this version reads tokens from env: and file: only")


def _by_state(stats: PoolStats) -> Mapping[str, int]:
    return {"active": stats.active, "idle": stats.idle}


def _token_key(account: str, name: str) -> str:
    """Where a token is described in the configuration."""
    key = "token" if name == DEFAULT_TOKEN else f"tokens.{name}"
    return key if account == DEFAULT_ACCOUNT else f"accounts.{account}.{key}"
