"""What the gateway remembers replies and flights in, made from the settings and alive as long as the process.

Refuses to know what is remembered, and when: that is `reads`, `writes` and `flights`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.catalogue.template import EVERYTHING
from gateway.errors import UNPLACED, Problem, SettingsError
from gateway.flights import Flights
from gateway.observe.live import CacheFigures
from gateway.policy.flight import Windows
from gateway.policy.pacing import Pace
from gateway.settings.model import Settings
from gateway.settings.sections import OnStoreFailure, Store
from gateway.stores.cache import CacheStore, Tags, scoped
from gateway.stores.journal import Journal, journal_at
from gateway.stores.memory_bucket import MemoryBucket
from gateway.stores.memory_cache import MemoryCache
from gateway.stores.memory_flights import MemoryFlights
from gateway.tasks import TaskOwner
from gateway.tokens.redaction import Sink
from gateway.tokens.secret import SHORTEST, Secret
from gateway.upstream.pacing import Bucket
from gateway.upstream.packing import EndPacker, ReplyPacker
from gateway.upstream.reply import answer_size

if TYPE_CHECKING:
    from gateway.stores.redis.bucket import RedisBucket
    from gateway.stores.redis.cache import RedisCache
    from gateway.stores.redis.flights import RedisFlights
    from gateway.stores.redis.link import Link


@dataclass(frozen=True, slots=True)
class Means:
    """What stores need of the rest of the gateway."""

    owner: TaskOwner
    clock: Callable[[], float]  # monotonic, and the same as the loop's
    wall_clock: Callable[[], float]
    scrub: Callable[[bytes, Sink], bytes]  # masks tokens
    failed: Callable[[str, str], None]  # is told of a store and the operation on it that failed
    mask: Callable[[Secret, str], None]  # has a value masked wherever it would be shown; and whose it is
    random_bytes: Callable[[int], bytes]


class Storage:
    """The stores of one gateway, still to be started."""

    def __init__(self, settings: Settings, means: Means) -> None:
        self._means = means
        self._memory_cache = MemoryCache(settings.cache.max_bytes, means.clock)
        windows = _windows(settings)
        memory = MemoryFlights(settings.dedup.max_bytes, windows, means.wall_clock, answer_size)
        self._journal = self._journal_over(memory, settings.dedup.journal)
        self._link: Link | None = None
        self._redis_cache: RedisCache | None = None
        self._redis_flights: RedisFlights | None = None
        self._buckets: dict[tuple[str, str], tuple[float, Bucket]] = {}
        if settings.uses_redis:
            self._link = self._link_to(settings)
            self._over(self._link, settings, memory, windows)
        store = self._redis_flights if settings.dedup.store is Store.REDIS else self._journal
        self.flights = Flights(store or memory, means.owner, windows, means.wall_clock)

    @property
    def cache(self) -> CacheStore:
        """Where replies of reads are kept."""
        return self._redis_cache or self._memory_cache

    def bucket(self, account: str, base_url: str, rate: float) -> Bucket:
        """The turns of an account's requests, `rate` a second; the same bucket as long as the rate."""
        name = account, base_url
        known_rate, bucket = self._buckets.get(name, (0.0, None))
        if bucket is None or known_rate != rate:
            alone = MemoryBucket(Pace.of(rate), self._means.clock)
            bucket = alone if self._link is None else _shared_bucket(self._link, name, alone)
            self._buckets[name] = rate, bucket
        return bucket

    @property
    def redis_state(self) -> tuple[bool, str] | None:
        """Whether Redis is used at the moment, and what there is to say; None where it is not wanted."""
        if self._link is None:
            return None
        if self._link.is_up:
            return True, f"{self._link.address}"
        return False, f"{self._link.address}: {self._link.problem}; calls go on without it"

    def health(self) -> dict[str, bool]:
        """What can fail, by name, and whether it works as far as is known."""
        health = {} if self._journal is None else {"journal": self._journal.is_well}
        return health if self._link is None else {**health, "redis": self._link.is_up}

    async def start(self) -> None:
        """Take up what an earlier process left. Never fails: without it, calls are answered all the same."""
        if self._journal is not None:
            await self._journal.start()
        if self._link is not None:
            await self._link.start()

    async def aclose(self) -> None:
        """Write what is left. For stores that were never started, too."""
        if self._journal is not None:
            await self._journal.aclose()
        if self._redis_flights is not None:
            await self._redis_flights.aclose()
        if self._link is not None:
            await self._link.aclose()

    def resize(self, settings: Settings) -> None:
        """Other bounds and times from now on, after a reload."""
        self._memory_cache.resize(settings.cache.max_bytes)
        if self._redis_cache is not None:
            self._redis_cache.resize(settings.cache.max_bytes)
        self.flights.resize(settings.dedup.max_bytes, _windows(settings))

    def figures(self) -> CacheFigures:
        """How the cache stands. What lies in Redis is everybody's, and Redis' own to count."""
        if self._redis_cache is not None:
            return CacheFigures(invalidations=self._redis_cache.invalidations)
        cache = self._memory_cache
        return CacheFigures(cache.entries, cache.bytes, cache.evictions, cache.invalidations)

    def _link_to(self, settings: Settings) -> "Link":
        """Its client library is loaded by those who use it only."""
        from gateway.stores.redis.address import Address
        from gateway.stores.redis.keys import Keys
        from gateway.stores.redis.link import Link

        redis = settings.redis
        assert redis.url is not None
        address = Address.parse(redis.url)
        if len(address.password.encode()) >= SHORTEST:
            self._means.mask(Secret(address.password), "redis.url")
        name = self._means.random_bytes(6).hex()

        def failed(operation: str) -> None:
            self._means.failed("redis", operation)

        return Link(address, Keys(redis.prefix), redis.timeout, name, failed, self._means.clock)

    def _over(self, link: "Link", settings: Settings, memory: MemoryFlights, windows: Windows) -> None:
        from gateway.stores.redis.cache import RedisCache
        from gateway.stores.redis.flights import RedisFlights

        refuse = settings.dedup.on_store_failure is OnStoreFailure.REFUSE

        def scrub(data: bytes) -> bytes:
            return self._means.scrub(data, "redis")

        if settings.cache.store is Store.REDIS:
            self._redis_cache = RedisCache(link, settings.cache.max_bytes, refuse=refuse, scrub=scrub)
        if settings.dedup.store is Store.REDIS:
            replies = ReplyPacker(scrub)
            self._redis_flights = RedisFlights(
                link,
                memory,
                settings.dedup.max_bytes,
                windows,
                refuse=refuse,
                answers=replies,
                ends=EndPacker(replies),
                now=self._means.wall_clock,
            )

    def _journal_over(self, memory: MemoryFlights, path: Path | None) -> Journal | None:
        if path is None:
            return None
        packer = ReplyPacker(lambda data: self._means.scrub(data, "journal"))

        def failed(operation: str) -> None:
            self._means.failed("journal", operation)

        return journal_at(path, memory, packer, failed, self._means.wall_clock)


def _shared_bucket(link: "Link", name: tuple[str, str], alone: MemoryBucket) -> "RedisBucket":
    from gateway.stores.redis.bucket import RedisBucket

    return RedisBucket(link, " ".join(name), alone)


def unusable(settings: Settings) -> tuple[Problem, ...]:
    """What keeps Redis from being used, before anything is connected."""
    if not settings.uses_redis or settings.redis.url is None:
        return ()
    if find_spec("hiredis") is None:
        text = "needs a package that is not installed: pip install 'platform-gateway[redis]'"
        return (Problem(UNPLACED, "redis.url", text),)
    from gateway.stores.redis.address import Address

    try:
        Address.parse(settings.redis.url)
    except SettingsError as error:
        return error.problems
    return ()


def outdated_tags(old: Settings, new: Settings) -> Tags:
    """The tags that change with the rules of methods: a kept reply carries the tags of the rules it came
    under, and other rules may know it by other tags."""
    if old.methods == new.methods:
        return ()
    urls = {account.base_url for settings in (old, new) for account in settings.all_accounts().values()}
    return tuple(tag for url in urls for tag in scoped(url, (EVERYTHING,)))


def _windows(settings: Settings) -> Windows:
    """How long flights are remembered."""
    dedup = settings.dedup
    return Windows(owed=dedup.window, key=dedup.key_window, unknown=dedup.unknown_window)
