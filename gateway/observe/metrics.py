"""All metrics of the process, and what moves them.

Made once per process: counters outlive reloads. Everything that happens to a call arrives as a record; the
few other events have a method each. A new metric is a line in the file of its concern and a row in
docs/reference/metrics.md.
"""

import platform

from prometheus_client import CollectorRegistry
from prometheus_client.process_collector import ProcessCollector

from gateway.catalogue.model import OTHER, unknown_method
from gateway.observe import labels
from gateway.observe.call_metrics import CallMetrics
from gateway.observe.exposition import scrape
from gateway.observe.kinds import Kind
from gateway.observe.labels import ClosedSet, Names
from gateway.observe.live import CacheFigures, Live, live_gauges
from gateway.observe.series import Counter, Family, Gauge
from gateway.observe.upstream_metrics import UpstreamMetrics
from gateway.records import AttemptRecord, CallRecord, FlightOutcome


class Metrics:
    """The metrics of docs/reference/metrics.md.

    `families` are all of them but the process's own. `started_at` is when the configuration was first loaded,
    in seconds since the epoch.
    """

    def __init__(self, registry: CollectorRegistry, names: Names, *, version: str, started_at: float) -> None:
        self._live = Live(lambda: 0, lambda: 0, dict, dict, lambda: 0.0, lambda: 0, CacheFigures, dict)
        self._reload_ok, self._reloaded_at = True, started_at
        self._methods = ClosedSet()
        self._calls = CallMetrics(self._methods)
        self._upstream = UpstreamMetrics(self._methods)
        self._rejected = Counter(
            "gateway_token_rejected_total",
            "Requests that the platform answered with code 401, by the token they carried.",
            ("account", "token"),
        )
        self._rotations = Counter(
            "gateway_token_rotations_total",
            "Times that a token's value was replaced by another.",
            ("account", "token"),
        )
        self._redactions = Counter(
            "gateway_redactions_total", "Token values that were masked before they were shown.", ("sink",)
        )
        self._redactions.declare((sink,) for sink in labels.SINKS)
        self._store_errors = Counter(
            "gateway_store_errors_total",
            "Operations that failed on what calls or replies are remembered in.",
            ("store", "operation"),
        )
        self._store_errors.declare(labels.STORE_OPERATIONS)
        self.families: tuple[Family, ...] = (
            *self._calls.families(),
            *self._upstream.families(),
            *live_gauges(lambda: self._live),
            self._rejected,
            self._rotations,
            self._redactions,
            self._store_errors,
            *self._process_gauges(version),
        )
        for family in self.families:
            registry.register(family)
        self._process = ProcessCollector(registry=registry)
        self.declare(names)

    def declare(self, names: Names) -> None:
        """Makes the series of `names`, at zero, where they are new: at start and at each reload."""
        for method in (*names.methods, unknown_method(OTHER)):
            if method.label not in self._methods:
                self._methods.add(method.label)
                self._calls.declare_method(method)
                self._upstream.declare_method(method)
        self._calls.declare_callers(names.callers)
        self._calls.declare_accounts(names.accounts)
        self._upstream.declare_accounts(names.accounts)
        self._rejected.declare(names.tokens)
        self._rotations.declare(names.tokens)

    def watch(self, live: Live) -> None:
        """Asks the parts in `live` from now on."""
        self._live = live

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """The page for Prometheus and its content type; `accept` is the request's header, or ""."""
        return await scrape(self.families, (self._process,), accept)

    def call(self, record: CallRecord, kind: Kind | None = None) -> None:
        """Counts a call that has ended; to be told of each exactly once. `kind`: its own, where it
        is known."""
        self._calls.count(record, kind)

    def attempt(self, record: AttemptRecord) -> None:
        """Counts a request to the platform, also one that could not be sent."""
        self._upstream.count(record)

    def retried(self, api_method: str, reason: str) -> None:
        """An attempt is followed by another one; `reason` is a `policy.retrying.Trouble`."""
        self._upstream.retried(api_method, reason)

    def held(self, account: str, outcome: str) -> None:
        """`upstream.rate` held a request back; `outcome` is one of `labels.PACED`."""
        self._upstream.held(account, outcome)

    def flight_ended(self, api_method: str, outcome: FlightOutcome) -> None:
        self._calls.flight_ended(api_method, outcome)

    def token_rejected(self, account: str, token: str) -> None:
        """The platform answered 401 to a request with this token. `token` is its configured name."""
        self._rejected.inc((account, token))

    def token_rotated(self, account: str, token: str) -> None:
        self._rotations.inc((account, token))

    def redacted(self, sink: str, count: int) -> None:
        """`count` token values were masked on their way to `sink`."""
        self._redactions.inc((sink,), count)

    def store_failed(self, store: str, operation: str) -> None:
        """`operation` failed on `store`; both as in `labels.STORE_OPERATIONS`."""
        self._store_errors.inc((store, operation))

    def reloaded(self, successful: bool, at: float) -> None:
        """A reload of the configuration ended at `at`, in seconds since the epoch."""
        self._reload_ok = successful
        if successful:
            self._reloaded_at = at

    @property
    def last_reload(self) -> tuple[bool, float]:
        """Whether the last reload was successful, and when the configuration in use was loaded."""
        return self._reload_ok, self._reloaded_at

    def _process_gauges(self, version: str) -> tuple[Family, ...]:
        build = (version, platform.python_version())
        return (
            Gauge(
                "gateway_build_info",
                "Always 1; the labels say what runs.",
                lambda: [(build, 1)],
                ("version", "python"),
            ),
            Gauge(
                "gateway_config_last_reload_successful",
                "1 when the configuration that was loaded last is in use, 0 when it was refused.",
                lambda: [((), int(self._reload_ok))],
            ),
            Gauge(
                "gateway_config_last_reload_success_timestamp_seconds",
                "When the configuration in use was loaded, in seconds since the epoch.",
                lambda: [((), self._reloaded_at)],
            ),
        )
