"""The scraped page, checked by parsers that are not ours."""

import asyncio
import subprocess
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gateway.catalogue.model import ApiMethod, Effect
from gateway.observe.exposition import LINES_PER_TURN
from gateway.observe.metrics import Metrics
from gateway.records import AttemptRecord, CallRecord, CallTrace, TraceContext
from tests.observe.conftest import NAMES
from tests.tools import tool

pytestmark = pytest.mark.anyio

# What Prometheus 2.42 sends.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def busy(metrics: Metrics, a_call: CallRecord, an_attempt: AttemptRecord) -> Metrics:
    """Metrics with something in them, a label that needs escaping included."""
    metrics.call(a_call)
    metrics.attempt(an_attempt)
    metrics.token_rotated('odd "account"\\\n', "default")
    return metrics


def parse_openmetrics(page: bytes) -> list[Metric]:
    families: Iterable[Metric] = openmetrics_families(page.decode())  # type: ignore[no-untyped-call] # it has no types
    return list(families)


def samples(families: Iterable[Metric]) -> Samples:
    """Without what moves by itself, the process's own numbers."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.startswith("process_")
    }


async def test_the_text_page_says_what_the_registry_holds(busy: Metrics, registry: CollectorRegistry) -> None:
    page, _ = await busy.scrape("")

    assert samples(parse_text(page.decode())) == samples(registry.collect())


async def test_the_openmetrics_page_says_the_same(busy: Metrics, registry: CollectorRegistry) -> None:
    page, _ = await busy.scrape(PROMETHEUS)

    assert samples(parse_openmetrics(page)) == samples(registry.collect())


async def test_types_and_texts_arrive(busy: Metrics, registry: CollectorRegistry) -> None:
    page, _ = await busy.scrape(PROMETHEUS)

    read = {family.name: (family.type, family.documentation) for family in parse_openmetrics(page)}
    assert read == {family.name: (family.type, family.documentation) for family in registry.collect()}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        pytest.param("", "text/plain; version=0.0.4; charset=utf-8", id="no header"),
        pytest.param("*/*", "text/plain; version=0.0.4; charset=utf-8", id="curl"),
        pytest.param("text/html,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8", id="a browser"),
        pytest.param("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", id="text"),
        pytest.param("text/plain;version=1.0.0", "text/plain; version=0.0.4; charset=utf-8", id="newer text"),
        pytest.param(
            PROMETHEUS, "application/openmetrics-text; version=1.0.0; charset=utf-8", id="Prometheus"
        ),
        pytest.param(
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            id="OpenMetrics of any version",
        ),
        pytest.param(
            "application/openmetrics-text;version=0.0.1",
            "text/plain; version=0.0.4; charset=utf-8",
            id="OpenMetrics before its time",
        ),
    ],
)
async def test_the_format_is_what_the_scraper_asks_for(
    metrics: Metrics, accept: str, content_type: str
) -> None:
    page, answered = await metrics.scrape(accept)

    assert answered == content_type
    assert page.endswith(b"# EOF\n") == ("openmetrics" in content_type)


async def test_a_scrape_gives_way_after_a_few_hundred_lines(registry: CollectorRegistry) -> None:
    methods = tuple(ApiMethod(f"family/method_{number}", Effect.READ) for number in range(200))
    metrics = Metrics(registry, replace(NAMES, methods=methods), version="1.2.3", started_at=0.0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    bystander = asyncio.create_task(others())
    page, _ = await metrics.scrape("")
    bystander.cancel()
    await asyncio.gather(bystander, return_exceptions=True)

    assert turns >= len(page.splitlines()) / LINES_PER_TURN > 20


async def test_counting_during_a_scrape_does_not_break_it(metrics: Metrics, a_call: CallRecord) -> None:
    """A reload adds series, and calls go on."""
    scraping = asyncio.create_task(metrics.scrape(""))
    number = 0
    while not scraping.done():
        number += 1
        metrics.declare(replace(NAMES, methods=(ApiMethod(f"new/{number}", Effect.READ),)))
        metrics.call(a_call)
        await asyncio.sleep(0)

    page, _ = await scraping
    for family in parse_text(page.decode()):
        if family.type == "histogram":
            assert_whole(family)


def assert_whole(histogram: Metric) -> None:
    """Buckets and count are of one moment."""
    last: dict[str, float] = {}
    for sample in histogram.samples:
        method = sample.labels.get("api_method", "")
        if sample.name.endswith("_bucket"):
            last[method] = sample.value
        elif sample.name.endswith("_count"):
            assert sample.value == last[method]


@pytest.mark.full
def test_promtool_finds_nothing_to_say(busy: Metrics) -> None:
    page, _ = asyncio.run(busy.scrape(""))

    checked = subprocess.run(
        [tool("promtool", "Debian: prometheus"), "check", "metrics"],
        input=page,
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


async def test_openmetrics_names_the_traces_behind_latencies_and_the_text_page_does_not(
    metrics: Metrics, a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    call, attempt, unrecorded = (TraceContext(name * 32, "f" * 16, sampled=name != "c") for name in "abc")
    metrics.call(msgspec.structs.replace(a_call, trace=CallTrace(call, "POST")))
    metrics.attempt(msgspec.structs.replace(an_attempt, trace=attempt))
    metrics.call(msgspec.structs.replace(a_call, seconds=59.0, trace=CallTrace(unrecorded, "POST")))

    page, _ = await metrics.scrape(PROMETHEUS)
    named = {
        (sample.name, sample.exemplar.labels["trace_id"]): sample.exemplar.value
        for family in parse_openmetrics(page)
        for sample in family.samples
        if sample.exemplar is not None
    }
    assert named == {
        ("gateway_request_duration_seconds_bucket", "a" * 32): 0.25,
        ("gateway_overhead_seconds_bucket", "a" * 32): 0.125,
        ("gateway_upstream_request_duration_seconds_bucket", "b" * 32): 0.125,
    }
    assert b"trace_id" not in (await metrics.scrape(""))[0]
