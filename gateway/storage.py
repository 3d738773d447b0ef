"""What the gateway remembers replies and flights in, made from the settings and alive as long as the process.

Refuses to know what is remembered, and when: that is `reads`, `writes` and `flights`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.flights import Flights
from gateway.observe.live import CacheFigures
from gateway.policy.flight import Windows
from gateway.settings.model import Settings
from gateway.stores.journal import Journal, journal_at
from gateway.stores.memory_cache import MemoryCache
from gateway.stores.memory_flights import MemoryFlights
from gateway.tasks import TaskOwner
from gateway.tokens.redaction import Sink
from gateway.upstream.packing import ReplyPacker
from gateway.upstream.reply import answer_size


@dataclass(frozen=True, slots=True)
class Means:
    """What stores need of the rest of the gateway."""

    owner: TaskOwner
    clock: Callable[[], float]  # monotonic, and the same as the loop's
    wall_clock: Callable[[], float]
    scrub: Callable[[bytes, Sink], bytes]  # masks tokens
    failed: Callable[[str, str], None]  # is told of a store and the operation on it that failed


class Storage:
    """The stores of one gateway, still to be started."""

    def __init__(self, settings: Settings, means: Means) -> None:
        self._means = means
        self.cache = MemoryCache(settings.cache.max_bytes, means.clock)
        windows = _windows(settings)
        memory = MemoryFlights(settings.dedup.max_bytes, windows, means.wall_clock, answer_size)
        self._journal = self._journal_over(memory, settings.dedup.journal)
        self.flights = Flights(self._journal or memory, means.owner, windows, means.wall_clock)

    def health(self) -> dict[str, bool]:
        """What can fail, by name, and whether it works as far as is known."""
        return {} if self._journal is None else {"journal": self._journal.is_well}

    async def start(self) -> None:
        """Take up what an earlier process left. Never fails: without it, calls are answered all the same."""
        if self._journal is not None:
            await self._journal.start()

    async def aclose(self) -> None:
        """Write what is left. For stores that were never started, too."""
        if self._journal is not None:
            await self._journal.aclose()

    def resize(self, settings: Settings) -> None:
        """Other bounds and times from now on, after a reload."""
        self.cache.resize(settings.cache.max_bytes)
        self.flights.resize(settings.dedup.max_bytes, _windows(settings))

    def figures(self) -> CacheFigures:
        """How the cache stands."""
        cache = self.cache
        return CacheFigures(cache.entries, cache.bytes, cache.evictions, cache.invalidations)

    def _journal_over(self, memory: MemoryFlights, path: Path | None) -> Journal | None:
        if path is None:
            return None
        packer = ReplyPacker(lambda data: self._means.scrub(data, "journal"))

        def failed(operation: str) -> None:
            self._means.failed("journal", operation)

        return journal_at(path, memory, packer, failed, self._means.wall_clock)


def _windows(settings: Settings) -> Windows:
    """How long flights are remembered."""
    dedup = settings.dedup
    return Windows(owed=dedup.window, key=dedup.key_window, unknown=dedup.unknown_window)
