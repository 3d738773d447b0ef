"""The page that Prometheus scrapes, in its text format or in OpenMetrics, whichever it asks for.

A scrape must not hold up calls: lines are printed a few hundred at a time, and the event loop gets its turn
in between.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPENMETRICS
from prometheus_client.registry import Collector

from gateway.observe.series import Family, sample_start

LINES_PER_TURN = 500
"""About 0.3 ms: see bench/scrape.py."""


async def scrape(families: Iterable[Family], others: Iterable[Collector], accept: str) -> tuple[bytes, str]:
    """The page and its content type. `others` are collectors of few series that know nothing of `lines`."""
    openmetrics = _wants_openmetrics(accept)
    parts = []
    for family in families:
        head = _head(family.name, family.kind, family.help, openmetrics)
        lines = chain([head], family.lines(exemplars=openmetrics))
        while some := "".join(islice(lines, LINES_PER_TURN)):
            parts.append(some.encode())
            await asyncio.sleep(0)
    for collector in others:
        parts.extend("".join(_foreign_lines(metric, openmetrics)).encode() for metric in collector.collect())
    if openmetrics:
        parts.append(b"# EOF\n")
    return b"".join(parts), CONTENT_TYPE_OPENMETRICS if openmetrics else CONTENT_TYPE_PLAIN_0_0_4


def _wants_openmetrics(accept: str) -> bool:
    _, content_type = choose_encoder(accept)
    return content_type.startswith("application/openmetrics-text")


def _head(name: str, kind: str, text: str, openmetrics: bool) -> str:
    # OpenMetrics names a counter's family without the suffix of its samples.
    family = name.removesuffix("_total") if openmetrics and kind == "counter" else name
    return f"# HELP {family} {text}\n# TYPE {family} {kind}\n"


def _foreign_lines(metric: Metric, openmetrics: bool) -> Iterator[str]:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    yield _head(name, metric.type, metric.documentation, openmetrics)
    for sample in metric.samples:
        start = sample_start(sample.name, tuple(sample.labels), tuple(sample.labels.values()))
        yield f"{start}{sample.value}\n"
