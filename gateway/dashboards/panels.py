"""Dashboards, rows and panels as values. What Grafana makes of them is `rendering`'s to know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
BLUE, PURPLE, GREY = "blue", "purple", "text"


class Unit(StrEnum):
    """How Grafana writes a number."""

    PER_SECOND = "reqps"
    EVENTS_PER_SECOND = "ops"
    SHARE = "percentunit"  # 0..1 as per cent
    SECONDS = "s"
    DURATION = "dtdurations"  # seconds as days and hours
    BYTES = "bytes"
    COUNT = "short"
    DATE = "dateTimeAsIso"  # milliseconds since the epoch
    TEXT = "string"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel. `legend` names its series, `{{label}}` being a label's value; in a table it is
    the heading of its column."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on, a number is shown in `color`."""

    value: float
    color: str


@dataclass(frozen=True, slots=True)
class Word:
    """What is shown in a number's place."""

    text: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`question` is what it answers, for whoever hovers over its title. `width` is of 24, `height` in units
    of about 38 pixels."""

    title: str
    question: str
    queries: tuple[Query, ...]
    unit: Unit
    width: int = 8
    height: int = 7
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    words: Mapping[int, Word] = field(default_factory=lambda: MappingProxyType({}))
    empty: str = ""  # what stands there without data


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Panel):
    """One number, as it is now."""

    width: int = 3
    height: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Panel):
    """Numbers over time. `names` and `colors` are by legend; `stacked` where the sum means something, `bars`
    where what happens is rare."""

    stacked: bool = False
    bars: bool = False
    highest: float | None = None  # of the axis
    names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    colors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    exemplars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat(Panel):
    """How values are spread, over time. Its one query gives the buckets of a histogram."""


@dataclass(frozen=True, slots=True, kw_only=True)
class States(Panel):
    """Which of `words` holds, over time, a band for each series."""


@dataclass(frozen=True, slots=True)
class Column:
    """How the column of a query, or of a label, is shown."""

    heading: str
    unit: Unit | None = None
    steps: tuple[Step, ...] = ()
    link: str = ""  # where a click leads


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """A row for each combination of labels, a column for each query."""

    columns: tuple[Column, ...] = ()
    hidden: tuple[str, ...] = ()  # labels
    sorted_by: str


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """`variables` are names of `variables.VARIABLES`; all have data source, job and instance."""

    uid: str
    title: str
    question: str
    variables: tuple[str, ...]
    rows: tuple[Row, ...]

    def panels(self) -> Iterator[Panel]:
        for row in self.rows:
            yield from row.panels
