"""Reads over the real store, in front of a platform by hand. One second of the loop is one of the store."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.account import Account
from gateway.call import Request, Trail
from gateway.catalogue.model import ApiMethod, Effect
from gateway.policy.freshness import CacheControl, FreshnessRule, Lifetime
from gateway.policy.tags import TagRule
from gateway.reads import ReadRule, Reads
from gateway.stores.cache import CacheStore, scoped
from gateway.stores.memory_cache import MemoryCache
from gateway.tasks import TaskOwner
from gateway.upstream.reply import Reply
from tests import builders
from tests.builders import OFFLOAD
from tests.byhand import BASE_URL, Platform, account, guards
from tests.skipping import all_is_done

NO_WISH, NO_CACHE, NO_STORE = CacheControl(), CacheControl(no_cache=True), CacheControl(no_store=True)
ONLY_IF_CACHED = CacheControl(only_if_cached=True)
LIFETIME = Lifetime(ttl=60.0, stale_while_revalidate=30.0, stale_if_error=300.0)
OF_DB_1 = scoped(BASE_URL, ("db:1", "db:*"))
"""What a write of database 1 changes."""


def method(**changes: Any) -> ApiMethod:
    """A read that depends on one database and carries no token."""
    usual = {"tags": ("db:{id}",), "token": "none"}
    return ApiMethod("databases/get", Effect.READ, **{**usual, **changes})


DATABASE = method()


@dataclass(frozen=True)
class Told:
    """What a caller got, and what was noted of its call."""

    body: dict[str, Any]
    trail: Trail

    @property
    def headers(self) -> tuple[str, str | None]:
        age = self.trail.age
        return self.trail.cache_status.decode(), None if age is None else age.decode()


@dataclass
class Rig:
    store: CacheStore
    lifetime: Lifetime = LIFETIME
    method: ApiMethod = DATABASE
    platform: Platform = field(default_factory=Platform)
    owner: TaskOwner = field(default_factory=TaskOwner)

    def __post_init__(self) -> None:
        rule = ReadRule(FreshnessRule.of(self.method, self.lifetime), TagRule.of(self.method))
        self.reads = Reads(self.store, self.owner, OFFLOAD, {self.method.name: rule})
        self.guards = guards()
        self.account = account(self.platform, {}, of=self.guards)

    def request(self, control: CacheControl = NO_WISH, **params: object) -> Request:
        request = builders.request(self.method, builders.fields(**(params or {"id": 1})))
        return msgspec.structs.replace(request, cache_control=control)

    async def read(
        self,
        control: CacheControl = NO_WISH,
        *,
        of: Account | None = None,
        patience: float = 1000.0,
        trail: Trail | None = None,
        **params: object,
    ) -> Told:
        deadline = asyncio.get_running_loop().time() + patience
        trail = trail or builders.trail()
        reply = await self.reads.answer(of or self.account, self.request(control, **params), deadline, trail)
        return Told(_decoded(reply), trail)

    async def asking(self, control: CacheControl = NO_WISH, **terms: Any) -> "asyncio.Task[Told]":
        """A read that has gone as far as it can."""
        task = asyncio.create_task(self.read(control, **terms))
        await all_is_done()
        return task

    async def answered(
        self, control: CacheControl = NO_WISH, *, version: object = None, **terms: Any
    ) -> Told:
        """A read with a question of its own, which is answered at once."""
        out = self.platform.waiting
        task = await self.asking(control, **terms)
        (attempt,) = [attempt for attempt in self.platform.waiting if attempt not in out]
        attempt.answer(version=version or len(self.platform.attempts))
        return await task

    async def failed(self, *, after: float = 0.0, **terms: Any) -> Told:
        """A read that goes to the platform, which breaks it off `after` seconds."""
        task = await self.asking(**terms)
        await asyncio.sleep(after)
        self.platform.only.break_off()
        return await task

    async def write(self) -> None:
        await self.store.end_write(await self.store.begin_write(OF_DB_1, 60.0))

    def assert_idle(self) -> None:
        """Nothing is left of any call."""
        assert len(self.owner) == 0
        assert (self.guards.admission.running, self.guards.admission.queued) == (0, 0)
        assert repr(self.reads) == "<Reads, 0 questions out>"


def _decoded(reply: Reply) -> dict[str, Any]:
    found = msgspec.json.decode(reply.body)
    assert isinstance(found, dict)
    return found


def memory() -> MemoryCache:
    return MemoryCache(2**20, asyncio.get_running_loop().time)


async def at(moment: float) -> None:
    """Sleep until then."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(moment - loop.time())
