"""What was asked of the platform, and how it went: one reading of each AttemptRecord."""

from collections.abc import Iterable, Iterator
from itertools import product

from gateway.catalogue.model import OTHER, ApiMethod
from gateway.observe import labels
from gateway.observe.kinds import KINDS
from gateway.observe.labels import NONE, ClosedSet, code_label
from gateway.observe.series import Cell, Counter, Family, Histogram, Series
from gateway.records import AttemptRecord
from gateway.remembered import Remembered

# 30 and 60 seconds are the default time limits.
DURATION_BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class UpstreamMetrics:
    """`methods` is shared with whoever else has the label `api_method`."""

    def __init__(self, methods: ClosedSet) -> None:
        self._methods = methods
        self._series = Remembered[tuple[object, ...], Series](KINDS)
        self._accounts = ClosedSet()
        self._attempts = Counter(
            "gateway_upstream_requests_total",
            "Requests to the platform, each attempt of a call, by the platform's error code; "
            "none where no answer came.",
            ("api_method", "code"),
        )
        self._duration = Histogram(
            "gateway_upstream_request_duration_seconds",
            "Time of one request to the platform, with connecting where that was needed.",
            DURATION_BOUNDS,
            ("api_method",),
        )
        self._errors = Counter(
            "gateway_upstream_errors_total",
            "Requests to the platform that got no usable answer.",
            ("account", "kind"),
        )
        self._items = Counter(
            "gateway_item_results_total",
            "Items of batch replies by their own error code.",
            ("api_method", "code"),
        )
        self._duplicates = Counter(
            "gateway_platform_duplicates_total",
            "Replies that the platform marked as the answer of an earlier, equal request.",
            ("api_method",),
        )

        self._retries = Counter(
            "gateway_retries_total",
            "Attempts that were followed by another one, by why.",
            ("api_method", "reason"),
        )
        self._paced = Counter(
            "gateway_rate_limited_total",
            "Requests to the platform that upstream.rate held back, by how that ended.",
            ("account", "outcome"),
        )

    def families(self) -> tuple[Family, ...]:
        return (
            self._attempts,
            self._duration,
            self._errors,
            self._items,
            self._duplicates,
            self._retries,
            self._paced,
        )

    def declare_method(self, method: ApiMethod) -> None:
        self._series.clear()  # what counted as "other" may have a name now
        name = method.label
        self._attempts.declare((name, str(code)) for code in (*labels.PLATFORM_CODES, OTHER, NONE))
        self._duration.declare([(name,)])
        self._retries.declare(product([name], labels.RETRY_REASONS))
        if method.effect.modifies:
            self._duplicates.declare([(name,)])
        if method.item_results is not None:
            self._items.declare((name, str(code)) for code in (*labels.PLATFORM_CODES, OTHER))

    def retried(self, api_method: str, reason: str) -> None:
        self._retries.inc((self._methods.label(api_method), reason))

    def declare_accounts(self, accounts: Iterable[str]) -> None:
        self._series.clear()
        for account in accounts:
            self._accounts.add(account)
            self._errors.declare(product([account], labels.FAILURE_KINDS))
            self._paced.declare(product([account], labels.PACED))

    def held(self, account: str, outcome: str) -> None:
        self._paced.inc((self._accounts.label(account), outcome))

    def count(self, record: AttemptRecord) -> None:
        kind = (record.api_method, record.account, record.code, record.failure, record.duplicate)
        series = self._series.get(kind)
        if series is None:
            series = self._found(record)
            self._series.put(kind, series)
        cells, duration = series
        for cell in cells:
            cell.value += 1
        duration.observe(record.seconds, "" if record.trace is None else record.trace.example)
        if record.item_codes:
            method = self._methods.label(record.api_method)
            for item_code, count in record.item_codes:
                self._items.inc((method, code_label(item_code)), count)

    def _found(self, record: AttemptRecord) -> Series:
        """What such an attempt moves, whatever its items."""
        method = self._methods.label(record.api_method)
        return tuple(self._counters(record, method)), self._duration.cell((method,))

    def _counters(self, record: AttemptRecord, method: str) -> Iterator[Cell]:
        yield self._attempts.cell((method, code_label(record.code) if record.failure is None else NONE))
        if record.failure is not None:
            yield self._errors.cell((self._accounts.label(record.account), record.failure))
        if record.duplicate:
            yield self._duplicates.cell((method,))
