"""What happened to calls: one reading of each CallRecord."""

from collections.abc import Iterable, Iterator
from itertools import product

from gateway.catalogue.model import OTHER, ApiMethod
from gateway.observe import labels
from gateway.observe.kinds import KINDS, Kind, kind_of
from gateway.observe.labels import NONE, ClosedSet, code_label
from gateway.observe.series import Cell, Counter, Family, Histogram, Series
from gateway.records import CallRecord, FlightOutcome, Origin
from gateway.remembered import Remembered

# Few bounds, since each costs a series per method. The first one tells answers from the gateway's memory from
# those of the platform; 30 and 60 are the default time limits.
DURATION_BOUNDS = (0.005, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
OVERHEAD_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)

# Where answers come from that the platform gave earlier, or to somebody else.
_OF_READS: tuple[Origin, ...] = ("cache", "stale", "joined")
_OF_WRITES: tuple[Origin, ...] = ("joined", "replayed")


class CallMetrics:
    """`methods` is shared with whoever else has the label `api_method`."""

    def __init__(self, methods: ClosedSet) -> None:
        self._methods = methods
        self._series = Remembered[Kind, Series](KINDS)
        self._ends = Remembered[tuple[str, FlightOutcome], Cell](KINDS)
        self._callers = ClosedSet([NONE])
        self._accounts = ClosedSet()
        self._requests = Counter(
            "gateway_requests_total",
            "Calls that ended, by the error code of the answer and by where the answer came from.",
            ("api_method", "code", "origin"),
        )
        self._own_errors = Counter(
            "gateway_own_errors_total",
            "Calls that the gateway answered itself, by its reason.",
            ("account", "error"),
        )
        self._duration = Histogram(
            "gateway_request_duration_seconds",
            "Time from a call's head to the last byte of its answer.",
            DURATION_BOUNDS,
            ("api_method",),
        )
        self._overhead = Histogram(
            "gateway_overhead_seconds",
            "The part of a call's time that was not spent waiting for the platform.",
            OVERHEAD_BOUNDS,
        )
        self._over_all = self._overhead.cell()
        self._lookups = Counter(
            "gateway_cache_lookups_total",
            "Reads by what the cache had for them.",
            ("api_method", "result"),
        )
        self._flights = Counter(
            "gateway_flights_total",
            "Modifying calls by their part in a flight.",
            ("api_method", "role"),
        )
        self._outcomes = Counter(
            "gateway_flight_outcomes_total",
            "Flights that ended, by what is known of their effect on the platform.",
            ("api_method", "outcome"),
        )
        self._conversions = Counter(
            "gateway_conversions_total", "Bodies converted from one format to the other.", ("direction",)
        )
        self._by_caller = Counter(
            "gateway_callers_requests_total",
            "Calls by the name that the caller gave; none where it gave none.",
            ("caller",),
        )
        self._conversions.declare((direction,) for direction in labels.CONVERSIONS)
        self._by_caller.declare([(NONE,), (OTHER,)])

    def families(self) -> tuple[Family, ...]:
        return (
            self._requests,
            self._own_errors,
            self._duration,
            self._overhead,
            self._lookups,
            self._flights,
            self._outcomes,
            self._conversions,
            self._by_caller,
        )

    def declare_method(self, method: ApiMethod) -> None:
        self._series.clear()  # what counted as "other" may have a name now
        self._ends.clear()
        name = method.label
        self._requests.declare((name, str(code), "upstream") for code in (*labels.PLATFORM_CODES, OTHER))
        self._requests.declare((name, str(code), "gateway") for code in (*labels.OWN_CODES, OTHER))
        remembered: tuple[Origin, ...] = _OF_WRITES if method.effect.modifies else _OF_READS
        self._requests.declare((name, "0", origin) for origin in remembered)
        self._duration.declare([(name,)])
        if method.effect.modifies:
            self._flights.declare(product([name], labels.FLIGHT_ROLES))
            self._outcomes.declare(product([name], labels.FLIGHT_OUTCOMES))
        else:
            self._lookups.declare(product([name], labels.CACHE_RESULTS))

    def declare_callers(self, callers: Iterable[str]) -> None:
        self._series.clear()
        for caller in callers:
            self._callers.add(caller)
            self._by_caller.declare([(caller,)])

    def declare_accounts(self, accounts: Iterable[str]) -> None:
        self._series.clear()
        for account in accounts:
            self._accounts.add(account)
            self._own_errors.declare(product([account], labels.OWN_ERRORS))

    def count(self, record: CallRecord, kind: Kind | None = None) -> None:
        """`kind`: that of the record, where it is known."""
        kind = kind or kind_of(record)
        series = self._series.get(kind)
        if series is None:
            series = self._found(record)
            self._series.put(kind, series)
        cells, duration = series
        for cell in cells:
            cell.value += 1
        seconds = record.seconds
        own = seconds - record.upstream_seconds
        example = "" if record.trace is None else record.trace.context.example
        duration.observe(seconds, example)
        self._over_all.observe(own if own > 0.0 else 0.0, example)

    def _found(self, record: CallRecord) -> Series:
        """What such a call moves."""
        method = self._methods.label(record.api_method)
        return tuple(self._counters(record, method)), self._duration.cell((method,))

    def _counters(self, record: CallRecord, method: str) -> Iterator[Cell]:
        yield self._requests.cell((method, code_label(record.code), record.origin))
        yield self._by_caller.cell((self._callers.label(record.caller or NONE),))
        if record.error:
            yield self._own_errors.cell((self._accounts.label(record.account), record.error))
        if record.cache is not None:
            yield self._lookups.cell((method, record.cache))
        if record.flight is not None:
            yield self._flights.cell((method, record.flight))
        for direction in record.conversions:
            yield self._conversions.cell((direction,))

    def flight_ended(self, api_method: str, outcome: FlightOutcome) -> None:
        ended = api_method, outcome
        cell = self._ends.get(ended)
        if cell is None:
            cell = self._outcomes.cell((self._methods.label(api_method), outcome))
            self._ends.put(ended, cell)
        cell.value += 1
