"""What happened lately, for people who look at the status page: the traffic of the last minutes, codes and
times of each method, and the calls that failed last.

Prometheus keeps history; this keeps just enough to see what goes on, in bounded memory. A call costs two
updates: its duration's bucket and how it ended are counted in the slot that is running. Everything else is
done when a slot is over, every two seconds, or when somebody asks.
"""

import asyncio
import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import add
from typing import NamedTuple

from gateway.observe.blame import Turn, turn
from gateway.observe.kinds import Kind, kind_of
from gateway.observe.labels import code_label
from gateway.records import AttemptRecord, CacheResult, CallRecord, Origin

SLOT = 2.0
"""Seconds of one point of the traffic."""
SLOTS = 150
"""Points that are kept: five minutes."""
SPAN = 15
"""Slots after which the methods begin a new span."""
SPANS = 10
"""Whole spans that are kept: five minutes."""
FAILURES = 100
"""Calls that failed last."""

BOUNDS = tuple(0.0001 * 1.25**n for n in range(62))
"""Seconds, from 0.1 ms to more than a minute: a quantile is right to a fifth."""


class End(NamedTuple):
    """How a call can end, as far as it is counted here."""

    code: str  # as the label: a platform may invent codes, and they must not pile up
    origin: Origin
    error: str  # the gateway's own reason, as `blame.own_reason` tells them apart, or ""
    cache: CacheResult | None
    failed: bool

    @classmethod
    def of(cls, record: CallRecord, kind: Kind) -> "End":
        return cls(code_label(record.code), record.origin, kind.reason, record.cache, kind.failed)

    @property
    def turn(self) -> Turn | None:
        """Whose turn it is; None: nobody's, all is well."""
        return turn(self.error or self.code) if self.failed else None


class Tally:
    """Counts of ends and of durations."""

    __slots__ = ("durations", "ends")

    def __init__(self) -> None:
        self.ends: Counter[End] = Counter()
        self.durations = [0] * (len(BOUNDS) + 1)

    @property
    def calls(self) -> int:
        return sum(self.durations)

    def add(self, other: "Tally") -> None:
        self.ends.update(other.ends)
        self.durations = list(map(add, self.durations, other.durations))

    def quantile(self, share: float) -> float | None:
        """Seconds that this share of the calls took at most; None without calls."""
        total = self.calls
        if not total:
            return None
        rank, below = share * total, 0
        for index, count in enumerate(self.durations):
            if count and below + count >= rank:
                return _within(index, (rank - below) / count)
            below += count
        return BOUNDS[-1]


@dataclass(frozen=True, slots=True)
class Point:
    """The traffic of one slot."""

    time: float  # of its end, seconds since the epoch
    seconds: float  # that it lasted
    tally: Tally


@dataclass(frozen=True, slots=True)
class Window:
    """Each method's tally over some time."""

    seconds: float
    methods: dict[str, Tally]


class _Ended:
    """How many calls of a kind have ended."""

    __slots__ = ("calls", "end")

    def __init__(self, end: End) -> None:
        self.end = end
        self.calls = 0


class _Slot:
    """One method in the slot that is running: the cheapest that a call can be told to."""

    __slots__ = ("durations", "ends")

    def __init__(self) -> None:
        self.ends: dict[Kind, _Ended] = {}
        self.durations = [0] * (len(BOUNDS) + 1)


class Recent:
    """`clock` is monotonic, `wall_clock` seconds since the epoch."""

    def __init__(self, clock: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._running: dict[str, _Slot] = {}
        self._running_since = self._started = clock()
        self._spans: deque[tuple[float, dict[str, Tally]]] = deque([(self._started, {})], maxlen=SPANS + 1)
        self._slots_of_span = 0
        self._since_start: dict[str, Tally] = {}
        self.points: deque[Point] = deque(maxlen=SLOTS)
        self.failures: deque[CallRecord] = deque(maxlen=FAILURES)
        self.rejections: dict[tuple[str, str], float] = {}
        """When the platform last rejected a token, by account and token name."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._go_on(), name="recent calls")

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def call(self, record: CallRecord, kind: Kind | None = None) -> None:
        """A call has ended. `kind`: its own, where it is known."""
        kind = kind or kind_of(record)
        slot = self._running.get(record.api_method)
        if slot is None:
            slot = self._running[record.api_method] = _Slot()
        slot.durations[bisect_left(BOUNDS, record.seconds)] += 1
        ended = slot.ends.get(kind)
        if ended is None:
            ended = slot.ends[kind] = _Ended(End.of(record, kind))
        ended.calls += 1
        if kind.failed:
            self.failures.append(record)

    def rejected(self, attempt: AttemptRecord) -> None:
        """The platform did not take the token of this attempt."""
        self.rejections[attempt.account, attempt.token] = self._wall_clock()

    def rotate(self) -> None:
        """The running slot is over."""
        now = self._clock()
        tallies = self._take()
        whole = Tally()
        for method, tally in tallies.items():
            whole.add(tally)
            self._since_start.setdefault(method, Tally()).add(tally)
            self._spans[-1][1].setdefault(method, Tally()).add(tally)
        self.points.append(Point(self._wall_clock(), now - self._running_since, whole))
        self._running_since = now
        self._slots_of_span += 1
        if self._slots_of_span == SPAN:
            self._slots_of_span = 0
            self._spans.append((now, {}))

    def window(self, seconds: float) -> Window:
        """Each method over the last `seconds` or a little more; infinity is since the start."""
        now = self._clock()
        if math.isinf(seconds):
            return Window(now - self._started, _sum([self._since_start, self._peek()]))
        since = next(
            (
                number
                for number in range(len(self._spans) - 1, -1, -1)
                if self._spans[number][0] <= now - seconds
            ),
            0,
        )
        spans = list(self._spans)[since:]
        return Window(now - spans[0][0], _sum([*(span for _, span in spans), self._peek()]))

    def _take(self) -> dict[str, Tally]:
        tallies, self._running = self._peek(), {}
        return tallies

    def _peek(self) -> dict[str, Tally]:
        return {method: _closed(slot) for method, slot in self._running.items()}

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(SLOT)
            self.rotate()


def _closed(slot: _Slot) -> Tally:
    tally = Tally()
    for ended in slot.ends.values():
        tally.ends[ended.end] += ended.calls
    tally.durations = list(slot.durations)
    return tally


def _sum(parts: Iterable[dict[str, Tally]]) -> dict[str, Tally]:
    whole: dict[str, Tally] = {}
    for part in parts:
        for method, tally in part.items():
            whole.setdefault(method, Tally()).add(tally)
    return whole


def _within(bucket: int, share: float) -> float:
    """The value at this share of the way through a bucket, on the bounds' own scale."""
    upper = BOUNDS[min(bucket, len(BOUNDS) - 1)]
    lower = BOUNDS[bucket - 1] if 0 < bucket < len(BOUNDS) else upper / 1.25
    return float(lower * (upper / lower) ** share)
