"""Counters and histograms that are cheap to update and cheap to print.

prometheus_client's own objects build a Sample, with a dictionary of labels, for each series at each scrape:
with 120 methods that blocks the event loop for about 100 ms in the text format and 150 ms in OpenMetrics.
Here a series is a cell that keeps its printed beginning, and a scrape only puts the numbers behind: 3 ms for
the same series. Each family is a collector of prometheus_client all the same, so its registry can hold them.

Updates come from the event loop's thread; nothing here locks. A key is the tuple of label values in the order
of `labels`. This module refuses to close label sets: whoever updates passes values that were declared, and a
key that was not declared makes a new series.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Literal, Protocol

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

Key = tuple[str, ...]
Kind = Literal["counter", "gauge", "histogram"]


class Family(Protocol):
    """All series of one metric."""

    name: str  # as in the text format: counters end in _total
    kind: Kind
    help: str
    labels: Key

    def lines(self, *, exemplars: bool = False) -> Iterator[str]:
        """The samples as the text formats write them, each with its newline; with `exemplars` as only
        OpenMetrics knows them.

        May be read bit by bit, while samples are counted and series are added: such a series is missing, and
        what is said of one key (the buckets, sum and count of a histogram) is of one moment.
        """
        ...

    def collect(self) -> Iterable[Metric]:
        """The same as prometheus_client's values, for what else reads a registry."""
        ...

    def describe(self) -> Iterable[Metric]:
        """The metric without its samples: how a registry notices two of one name."""
        ...


class Counter:
    """Numbers that only grow."""

    kind: Kind = "counter"

    def __init__(self, name: str, text: str, labels: Key = ()) -> None:
        self.name = name
        self.help = text
        self.labels = labels
        self._cells: dict[Key, Cell] = {}
        if not labels:
            self.declare([()])

    def declare(self, keys: Iterable[Key]) -> None:
        """Makes the series of `keys`, at zero: `rate()` then sees the first error of a kind too."""
        for key in keys:
            self._cell(key)

    def inc(self, key: Key = (), amount: int = 1) -> None:
        self.cell(key).value += amount

    def cell(self, key: Key) -> "Cell":
        """The series of `key`, for whoever counts in it again and again."""
        return self._cells.get(key) or self._cell(key)

    def lines(self, *, exemplars: bool = False) -> Iterator[str]:
        return (f"{cell.start}{cell.value}\n" for cell in tuple(self._cells.values()))

    def collect(self) -> Iterable[Metric]:
        metric = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for key, cell in self._cells.items():
            metric.add_metric(key, cell.value)
        return (metric,)

    def describe(self) -> Iterable[Metric]:
        return (CounterMetricFamily(self.name, self.help),)

    def _cell(self, key: Key) -> "Cell":
        return self._cells.setdefault(key, Cell(sample_start(self.name, self.labels, key)))


class Gauge:
    """What is so at the moment, asked for at scrape time: `read` gives a number for each key, in pairs."""

    kind: Kind = "gauge"

    def __init__(
        self, name: str, text: str, read: Callable[[], Iterable[tuple[Key, float]]], labels: Key = ()
    ) -> None:
        self.name = name
        self.help = text
        self.labels = labels
        self._read = read

    def lines(self, *, exemplars: bool = False) -> Iterator[str]:
        return (f"{sample_start(self.name, self.labels, key)}{value}\n" for key, value in self._read())

    def collect(self) -> Iterable[Metric]:
        metric = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for key, value in self._read():
            metric.add_metric(key, value)
        return (metric,)

    def describe(self) -> Iterable[Metric]:
        return (GaugeMetricFamily(self.name, self.help),)


class ReadCounter(Gauge):
    """A number that only grows and that somebody else counts: asked for at scrape time, like a gauge."""

    kind: Kind = "counter"

    def collect(self) -> Iterable[Metric]:
        metric = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for key, value in self._read():
            metric.add_metric(key, value)
        return (metric,)

    def describe(self) -> Iterable[Metric]:
        return (CounterMetricFamily(self.name, self.help),)


class Histogram:
    """How often values came, by upper bounds."""

    kind: Kind = "histogram"

    def __init__(self, name: str, text: str, bounds: Sequence[float], labels: Key = ()) -> None:
        self.name = name
        self.help = text
        self.labels = labels
        self._bounds = tuple(float(bound) for bound in bounds)
        self._limits = (*map(str, self._bounds), "+Inf")
        self._cells: dict[Key, Distribution] = {}
        if not labels:
            self.declare([()])

    def declare(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._cell(key)

    def observe(self, value: float, key: Key = (), trace_id: str = "") -> None:
        self.cell(key).observe(value, trace_id)

    def cell(self, key: Key = ()) -> "Distribution":
        """The series of `key`, for whoever observes in it again and again."""
        return self._cells.get(key) or self._cell(key)

    def lines(self, *, exemplars: bool = False) -> Iterator[str]:
        for cell in tuple(self._cells.values()):
            upto = list(accumulate(cell.counts))
            numbers = (*upto, upto[-1], cell.total)
            examples = dict(cell.exemplars) if exemplars else {}
            for place, (start, number) in enumerate(zip(cell.starts, numbers, strict=True)):
                yield f"{start}{number}{examples.get(place, '')}\n"

    def collect(self) -> Iterable[Metric]:
        metric = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for key, cell in self._cells.items():
            upto = accumulate(cell.counts)
            metric.add_metric(key, list(zip(self._limits, upto, strict=True)), cell.total)
        return (metric,)

    def describe(self) -> Iterable[Metric]:
        return (HistogramMetricFamily(self.name, self.help),)

    def _cell(self, key: Key) -> "Distribution":
        return self._cells.setdefault(key, Distribution(self._starts(key), self._bounds))

    def _starts(self, key: Key) -> tuple[str, ...]:
        bucket, labels = f"{self.name}_bucket", (*self.labels, "le")
        buckets = (sample_start(bucket, labels, (*key, limit)) for limit in self._limits)
        count, total = (
            sample_start(f"{self.name}_{suffix}", self.labels, key) for suffix in ("count", "sum")
        )
        return *buckets, count, total


class Cell:
    """One series of a counter."""

    __slots__ = ("start", "value")

    def __init__(self, start: str) -> None:
        self.start = start
        self.value = 0


class Distribution:
    """The series of one key of a histogram."""

    __slots__ = ("_bounds", "counts", "exemplars", "starts", "total")

    def __init__(self, starts: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        self.starts = starts
        self.counts = [0] * (len(bounds) + 1)
        self.exemplars: dict[int, str] = {}  # the latest of each bucket, as it is printed
        self.total = 0.0
        self._bounds = bounds

    def observe(self, value: float, trace_id: str = "") -> None:
        """`trace_id` names the recorded trace that the value is an example of; "" for none."""
        place = bisect_left(self._bounds, value)
        self.counts[place] += 1
        self.total += value
        if trace_id:
            self.exemplars[place] = f' # {{trace_id="{trace_id}"}} {value}'


Series = tuple[tuple[Cell, ...], Distribution]
"""What a record moves: counters, by one each, and its duration."""


def sample_start(name: str, labels: Key, key: Key) -> str:
    if not labels:
        return f"{name} "
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(labels, key, strict=True))
    return f"{name}{{{pairs}}} "


def _escaped(value: str) -> str:
    """A label's value as both text formats want it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
