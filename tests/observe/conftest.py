"""What the tests of metrics and log share: a small catalogue, metrics over it, and records of calls."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from gateway.catalogue.model import ApiMethod, Effect
from gateway.observe.labels import Names
from gateway.observe.metrics import Metrics
from gateway.records import AttemptRecord, CallRecord

READ = ApiMethod("profiles/get", Effect.READ)
WRITE = ApiMethod("profiles/add", Effect.MODIFY)
BATCH = ApiMethod("profiles/add_batch", Effect.MODIFY, item_results="result")

NAMES = Names(
    methods=(READ, WRITE, BATCH),
    accounts=("default", "second"),
    tokens=(("default", "default"), ("default", "reader")),
    callers=("crm",),
)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry, NAMES, version="1.2.3", started_at=1763928000.0)


@pytest.fixture
def counted(registry: CollectorRegistry) -> Callable[[str], dict[tuple[str, ...], float]]:
    """Asks for the samples of a name that are not zero, by the values of their labels."""

    def ask(name: str) -> dict[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for metric in registry.collect()
            for sample in metric.samples
            if sample.name == name and sample.value
        }

    return ask


@pytest.fixture
def a_call() -> CallRecord:
    """A read that went well."""
    return CallRecord(
        time=1763928000.25,
        api_method="profiles/get",
        called="profiles/get",
        account="default",
        caller="crm",
        request_id="0192f0c1-7b1a-7c3e-9b1a-0123456789ab",
        code=0,
        status=200,
        origin="upstream",
        cache="bypass",
        attempts=1,
        seconds=0.25,
        upstream_seconds=0.125,
        request_bytes=230,
        reply_bytes=330,
    )


@pytest.fixture
def an_attempt() -> AttemptRecord:
    """A request that the platform answered with success."""
    return AttemptRecord(api_method="profiles/get", account="default", seconds=0.125, code=0)
