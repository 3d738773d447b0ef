"""Which metrics a scrape gives, and with which labels."""

from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry

from gateway.observe.labels import Names
from gateway.observe.metrics import Metrics

OF_SCRAPES = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
"""What Prometheus itself writes down of each scrape, and the dashboards use."""

TARGET = frozenset({"job", "instance"})
"""The labels that Prometheus adds to every series."""


@cache
def exported() -> Mapping[str, frozenset[str]]:
    """Each sample's name, those of histograms with their suffixes, and its labels."""
    return {**dict.fromkeys(OF_SCRAPES, TARGET), **{name: labels | TARGET for name, labels in _own()}}


def _own() -> Iterator[tuple[str, frozenset[str]]]:
    registry = CollectorRegistry(auto_describe=False)
    metrics = Metrics(registry, Names((), (), (), ()), version="", started_at=0.0)
    for family in metrics.families:
        labels = frozenset(family.labels)
        if family.kind == "histogram":
            yield f"{family.name}_bucket", labels | {"le"}
            yield f"{family.name}_sum", labels
            yield f"{family.name}_count", labels
        else:
            yield family.name, labels
    for metric in registry.collect():
        if metric.name.startswith("process_"):
            yield from ((sample.name, frozenset(sample.labels)) for sample in metric.samples)
