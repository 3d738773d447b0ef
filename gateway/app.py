"""The running gateway: what lives as long as the process, and the order in which it starts and stops.

    start   tokens are read, then watched; the loop's lag is measured
    apply   another configuration: what is new is made and checked, swapped in, then the old one is drained
    drain   not ready from now on; what is under way may end
    stop    connections, watchers, worker and log are closed

Which parts answer calls is `assembly`'s to say; who listens on which socket is `server`'s.
"""

import asyncio
import json
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

from prometheus_client import CollectorRegistry

from gateway import __version__
from gateway.assembly import Runtime, Surroundings, assemble
from gateway.catalogue.model import Catalogue
from gateway.control import purging
from gateway.control.actions import Actions
from gateway.control.application import control_application
from gateway.control.readiness import Check, checks
from gateway.control.report import Parts, report, store_rows
from gateway.control.status_routes import status_routes
from gateway.dataplane import DataPlane
from gateway.errors import UNPLACED, Problem, SettingsError
from gateway.explain import Explainer
from gateway.headers import Headers
from gateway.identity import id_maker
from gateway.keyring import Keyring, Name
from gateway.listener import Listener
from gateway.observe.backlog import Backlog
from gateway.observe.labels import Names
from gateway.observe.live import Live
from gateway.observe.log import Log
from gateway.observe.looplag import LoopLag
from gateway.observe.metrics import Metrics
from gateway.observe.recent import Recent
from gateway.occurrence import event
from gateway.offload import Offload
from gateway.records import AttemptRecord, CallRecord
from gateway.reloading import ConfigFile, Reloader
from gateway.settings.loading import Configuration
from gateway.settings.model import Settings
from gateway.settings.reloading import unreloadable
from gateway.settings.token_source import TokenSource as TokenSettings
from gateway.storage import Means, Storage, outdated_tags
from gateway.stores.cache import Tags
from gateway.tasks import TaskOwner
from gateway.terminal import Terminal
from gateway.token_places import TokenPlaces
from gateway.tokens.keeper import Token, TokenKeeper
from gateway.tokens.redaction import Redactor
from gateway.tracing import Tracing, untraceable
from gateway.upstream.reply import TOKEN_REJECTED
from gateway.upstream.sender import Watchers
from gateway.ways import Trust, unused

log = logging.getLogger(__name__)

FLUSH = 3.0  # seconds for the last spans; a collector that is away costs the end so much


@dataclass(frozen=True, slots=True)
class World:
    """What the gateway takes from outside, so that a test can give it another."""

    environ: Mapping[str, str]
    stdout: BinaryIO
    wall_clock: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic  # the loop's own, but uvloop's goes by whole milliseconds
    random_bytes: Callable[[int], bytes] = os.urandom
    chance: Callable[[], float] = random.random  # spreads retries, keeps no secret


class Gateway:
    """One gateway, made inside the event loop that it runs in."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, world: World, file: ConfigFile | None = None
    ) -> None:
        """`catalogue` is the shipped one. `file` is where `settings` came from: without one, nothing can be
        reloaded."""
        self.draining = False
        self._shipped = catalogue
        self._world = world
        self._clock = world.clock
        self._owner = TaskOwner()
        self._drains = TaskOwner()
        self._offload = Offload()
        self.metrics = Metrics(
            CollectorRegistry(auto_describe=False),
            Names(methods=(), accounts=(), tokens=(), callers=()),
            version=__version__,
            started_at=world.wall_clock(),
        )
        self._redactor = Redactor(self.metrics.redacted)
        masked_log = partial(self._redactor.mask_bytes, sink="log")
        terminal = Terminal.of(world.stdout, world.environ)
        self._log = Log(world.stdout, masked_log, settings.log, terminal, world.chance)
        self._epochs: dict[Name, int] = {}
        self._places = TokenPlaces(world.environ, world.clock, world.chance, self._redactor.add)
        self._keyring = Keyring.of(settings, self._keeper)
        self._lag = LoopLag(self._clock)
        self._new_id = id_maker(world.wall_clock, world.random_bytes)
        self._storage = Storage(settings, self._means())
        self.store_health = self._storage.health
        trust = Trust.load(settings.upstream.tls)
        self.runtime = assemble(settings, catalogue, self._keyring, trust, self._surroundings())
        self.metrics.declare(self._names())
        self._calls = DataPlane(
            self.runtime.rules,
            observe=self._observe_call,
            clock=self._clock,
            wall_clock=world.wall_clock,
            new_id=self._new_id,
        )
        masked_trace = partial(self._redactor.mask_bytes, sink="trace")
        self._tracing = Tracing(world.environ, masked_trace, world.wall_clock, world.random_bytes)
        self._tracing.prepare(settings, self.runtime.catalogue)
        live = self._live()
        self.metrics.watch(live)
        self._recent = Recent(self._clock, world.wall_clock)
        readers = (self.metrics.call, self._recent.call, self._log.call)
        self._backlog = Backlog(readers, self.metrics.attempt)
        self._reloader = None if file is None else Reloader(file, self.apply, self._reloaded)
        actions = Actions(self._reload, self._purge, self._explain)
        masked_status = partial(self._redactor.mask_bytes, sink="status")
        pages = status_routes(self._backlog.before(partial(report, self._parts(live))), masked_status)
        scrape = self._backlog.before(self.metrics.scrape)
        control = control_application(scrape, self.checks, actions, pages)
        self.application = Listener(self._calls, control, self.runtime.downloads, self.runtime.listener)

    @property
    def settings(self) -> Settings:
        """Those in use."""
        return self.runtime.settings

    async def start(self) -> None:
        """Raises TokenMissingError when a token is not there: a gateway without one could only refuse."""
        self._log.start()
        self._lag.start()
        self._recent.start()
        self._trace()
        await self._keyring.start()
        await self._storage.start()
        if self._reloader is not None:
            self._reloader.start()

    async def apply(self, new: Configuration) -> bool:
        """Take another configuration. Returns whether it is another one.

        All that can fail comes first, and raises SettingsError with every problem; then nothing has changed.
        The swap itself is one step of the loop: a call is under the old rules or the new ones.
        To be called once at a time.
        """
        settings, old = new.settings, self.runtime
        if problems := unreloadable(old.settings, new):
            raise SettingsError(problems)
        if settings == old.settings and old.trust.is_current(settings.upstream.tls):
            return False
        trust, keyring = await self._verified(settings)
        try:
            runtime = await asyncio.to_thread(
                assemble, settings, self._shipped, keyring, trust, self._surroundings(), old.ways
            )
        except BaseException:
            await keyring.aclose(but=self._keyring)
            raise
        await asyncio.to_thread(self._tracing.prepare, settings, runtime.catalogue)
        former, self._keyring = self._keyring, keyring
        self._swap(runtime)
        outdated = outdated_tags(old.settings, settings)
        if outdated:
            await self._storage.cache.purge(outdated)
        self._drains.start(self._retire(old, former, outdated), "drain a configuration")
        return True

    async def _verified(self, settings: Settings) -> tuple[Trust, Keyring]:
        """What the settings name outside of themselves: certificates and tokens. Raises SettingsError."""
        problems = untraceable(settings, self._world.environ)
        trust = self.runtime.trust
        if not trust.is_current(settings.upstream.tls):
            try:
                trust = await asyncio.to_thread(Trust.load, settings.upstream.tls)
            except SettingsError as error:
                problems += error.problems
        try:
            keyring = await self._keyring.renewed(settings, self._keeper)
        except SettingsError as error:
            raise SettingsError((*problems, *error.problems)) from error
        if problems:
            await keyring.aclose(but=self._keyring)
            raise SettingsError(problems)
        return trust, keyring

    @property
    def request_reload(self) -> Callable[[], None] | None:
        """Has the configuration read again soon, in the background; what becomes of it is in the log. None
        where there is no file to read."""
        return None if self._reloader is None else self._reloader.request

    def drain(self) -> None:
        """Say that no new callers are wanted; calls are still answered."""
        self.draining = True

    async def stop(self, patience: float) -> None:
        """Let what is under way end for `patience` seconds at most, then close everything."""
        if self._reloader is not None:
            await self._reloader.aclose()
        left = await self._owner.finish(patience)
        if left:
            log.warning("%d calls were still under way when the gateway stopped", left)
        await self._owner.cancel()
        self._backlog.close()
        await asyncio.to_thread(self._tracing.close, FLUSH)
        await self._storage.aclose()
        await self._drains.cancel()
        await self.runtime.aclose()
        await self._keyring.aclose()
        await self._lag.aclose()
        await self._recent.aclose()
        self._offload.close()
        log.info("the gateway has stopped", extra=event("stopped", cut=left))
        self._log.close()

    def checks(self) -> tuple[Check, ...]:
        """With masked texts: they are built from what sources and their libraries say."""
        states = {"redis": self._storage.redis_state, "traces": self._tracing.state}
        beside = (Check(name, *state, required=False) for name, state in states.items() if state)
        found = checks(draining=self.draining, tokens=self._keyring.states(), beside=beside)
        return tuple(replace(check, detail=self._redactor.mask(check.detail, "status")) for check in found)

    def _swap(self, runtime: Runtime) -> None:
        self._backlog.catch_up()
        settings, self.runtime = runtime.settings, runtime
        self._calls.rules = runtime.rules
        self.application.apply(runtime.downloads, runtime.listener)
        self.metrics.declare(self._names())
        self._log.configure(settings.log)
        self._storage.resize(settings)
        self._trace()

    def _trace(self) -> None:
        """Trace calls, or no longer: as the configuration in use says."""
        former = self._tracing.use(self.settings, self.runtime.catalogue)
        self._calls.tracer = self._tracing.tracer
        if former is not None:
            self._drains.start(self._tracing.put_away(former, FLUSH), "send the last spans")

    async def _retire(self, old: Runtime, keyring: Keyring, outdated: Tags) -> None:
        """Put the old configuration away once its last call has ended, and what that call has set going.

        Such a call may have stored a reply under tags that nobody changes any more.
        """
        try:
            await old.rules.users.gone()
            await self._owner.finish(None)
            if outdated:
                await self._storage.cache.purge(outdated)
        finally:
            await keyring.aclose(but=self._keyring)
            for transport in unused(old.ways, self.runtime.ways):
                await transport.aclose()

    async def _reload(self) -> bool:
        if self._reloader is None:
            raise SettingsError((Problem(UNPLACED, "file", "the gateway was not started from a file"),))
        return await self._reloader.reload()

    def _reloaded(self, successful: bool) -> None:
        self.metrics.reloaded(successful, self._world.wall_clock())

    async def _purge(self, wish: purging.Purge) -> int:
        urls = [account.base_url for account in self.settings.all_accounts().values()]
        return await self._storage.cache.purge(purging.tags_of(wish, self.runtime.catalogue, urls))

    async def _explain(self, method: bytes, query: bytes, headers: Headers, body: bytes) -> bytes:
        explainer = Explainer(self.settings, self.runtime.catalogue, self._offload)
        report: dict[str, Any] = await explainer.report(method, query, headers, body)
        text = json.dumps(report, indent=2, ensure_ascii=False)
        return self._redactor.mask(text, "explain").encode()

    def _means(self) -> Means:
        return Means(
            owner=self._owner,
            clock=self._clock,
            wall_clock=self._world.wall_clock,
            scrub=self._redactor.mask_bytes,
            failed=self.metrics.store_failed,
            mask=self._redactor.add,
            random_bytes=self._world.random_bytes,
        )

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            owner=self._owner,
            offload=self._offload,
            flights=self._storage.flights,
            cache=self._storage.cache,
            bucket=self._storage.bucket,
            scrub=self._redactor.mask_reply,
            scrub_kept=self._redactor.mask_kept,
            clock=self._clock,
            chance=self._world.chance,
            watchers=Watchers(
                attempt=self._observe_attempt,
                retry=lambda method, why: self.metrics.retried(method, why.value),
                held=self.metrics.held,
                span=lambda above: above.child(self._world.random_bytes(8).hex()),
            ),
            flight_ended=self.metrics.flight_ended,
        )

    def _keeper(self, name: Name, source: TokenSettings) -> TokenKeeper:
        """A keeper whose epochs follow those of an earlier keeper of that name: what the cache has under
        the one's token is not the other's."""
        account, token_name = name
        first_epoch = self._epochs.get(name, 0) + 1

        def learn(token: Token) -> None:
            """Called before any call can take the token."""
            self._epochs[name] = token.epoch
            self._redactor.add(token.secret, f"{account}/{token_name}")
            if token.epoch > first_epoch:
                self.metrics.token_rotated(account, token_name)

        return TokenKeeper(
            self._places.source(source),
            account=account,
            name=token_name,
            clock=self._clock,
            on_change=learn,
            first_epoch=first_epoch,
        )

    def _names(self) -> Names:
        return Names(
            methods=tuple(self.runtime.catalogue),
            accounts=tuple(self.settings.all_accounts()),
            tokens=tuple(self._keyring.keepers),
            callers=tuple(self.settings.callers.known),
        )

    def _live(self) -> Live:
        return Live(
            requests_in_progress=lambda: self._calls.in_progress,
            requests_queued=lambda: self.runtime.queued,
            connections=lambda: {
                (account, state): count
                for account, way in self.runtime.ways.items()
                for state, count in way.transport.stats().by_state().items()
            },
            token_ages=lambda: self._keyring.ages(self._clock()),
            loop_lag=self._lag.worst,
            flights_in_progress=lambda: len(self._storage.flights),
            cache=self._storage.figures,
            spans=self._tracing.figures,
            breakers=lambda: {
                account: way.guards.breaker.state(self._clock()).value
                for account, way in self.runtime.ways.items()
            },
        )

    def _parts(self, live: Live) -> Parts:
        """Whom the status page asks."""
        return Parts(
            version=__version__,
            started_at=self._world.wall_clock(),
            wall_clock=self._world.wall_clock,
            recent=self._recent,
            live=live,
            checks=self.checks,
            settings=lambda: self.settings,
            tokens=lambda: self._keyring.states(),
            stores=lambda: store_rows(self.settings, self._storage.health()),
            last_reload=lambda: self.metrics.last_reload,
        )

    def _observe_call(self, record: CallRecord) -> None:
        self._backlog.call(record)
        if record.trace is not None and (tracer := self._tracing.tracer) is not None:
            tracer.call(record)

    def _observe_attempt(self, record: AttemptRecord) -> None:
        self._backlog.attempt(record)
        if record.trace is not None and (tracer := self._tracing.tracer) is not None:
            tracer.attempt(record)
        if record.code == TOKEN_REJECTED and record.token:
            self.metrics.token_rejected(record.account, record.token)
            self._recent.rejected(record)
