"""Every query is PromQL, and every metric and label in it is one that the gateway exports."""

import re

import pytest
from prometheus_client import CollectorRegistry

from gateway.dashboards.unshown import UNSHOWN
from gateway.observe.labels import Names
from gateway.observe.metrics import Metrics
from tests.dashboards.drawn import (
    ASKED,
    NAMES,
    RULES,
    Selector,
    board,
    filled,
    labels_given,
    selectors,
)

BY_PROMETHEUS = {
    "up": set[str](),
    "scrape_duration_seconds": set[str](),
    "scrape_samples_scraped": set[str](),
    "ALERTS": {"alertname", "alertstate"},
}
BY_TARGET = {"job", "instance"}
HISTOGRAM = ("_bucket", "_sum", "_count")

UNUSED = """{names}: exported, and neither a panel nor a rule uses it.
Either it answers a question that an operator has: then let a panel in gateway/dashboards/ ask it (of a new
counter of errors: an alert, too, and its page in docs/runbooks/), run `gateway dashboards`, commit grafana/.
Or nobody asks: then list it with the reason in gateway/dashboards/unshown.py."""


def exported() -> dict[str, set[str]]:
    """Names of families, counters with their suffix, and the labels of their samples."""
    registry = CollectorRegistry(auto_describe=False)
    metrics = Metrics(registry, Names((), (), (), ()), version="", started_at=0.0)
    own = {family.name: set(family.labels) for family in metrics.families}
    names = [
        f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in registry.collect()
    ]
    return {**{name: set[str]() for name in names}, **own}


EXPORTED = exported()
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
EXPRESSIONS = {
    **{name: [(str(query), filled(query.expr)) for query in ASKED if query.board == name] for name in NAMES},
    "annotations": [
        (f"{name}: {annotation['name']}", filled(annotation["expr"]))
        for name in NAMES
        for annotation in board(name)["annotations"]["list"]
    ],
    "rules": [(rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES],
}
each_place = pytest.mark.parametrize("place", EXPRESSIONS)


def all_selectors() -> list[Selector]:
    return [found for place in EXPRESSIONS.values() for _, expr in place for found in selectors(expr)]


def family(name: str) -> str:
    """Of a sample's name."""
    for suffix in HISTOGRAM:
        if name not in EXPORTED and name.removesuffix(suffix) in EXPORTED:
            return name.removesuffix(suffix)
    return name


@each_place
def test_a_query_names_what_the_gateway_exports(place: str) -> None:
    for query, expr in EXPRESSIONS[place]:
        found = selectors(expr)
        assert found, query
        for selector in found:
            assert selector.matchers.keys() <= labels_of(selector.name), query


@each_place
def test_a_query_sums_over_labels_that_are_there(place: str) -> None:
    for query, expr in EXPRESSIONS[place]:
        kept = labels_given(expr) or frozenset()
        for selector in selectors(expr):
            assert selector.name in RECORDED or kept <= labels_of(selector.name), query


def labels_of(sample: str) -> set[str]:
    """All that a series of this name has; KeyError where there is no such series."""
    if sample in RECORDED:
        return {"job"}
    name = family(sample)
    own = BY_PROMETHEUS[name] if name in BY_PROMETHEUS else EXPORTED[name]
    return own | BY_TARGET | ({"le"} if sample.endswith("_bucket") else set())


def test_every_exported_metric_is_used_or_listed_with_a_reason() -> None:
    used = {family(selector.name) for selector in all_selectors()}

    unused = EXPORTED.keys() - used - UNSHOWN.keys()
    assert not unused, UNUSED.format(names=", ".join(sorted(unused)))
    assert UNSHOWN.keys() <= EXPORTED.keys() - used, "what is used or gone needs no reason any more"
    assert all(UNSHOWN.values())


def test_every_recorded_series_is_used() -> None:
    assert {selector.name for selector in all_selectors()} >= RECORDED


@pytest.mark.parametrize("name", NAMES)
def test_a_legend_tells_the_series_of_its_query_apart(name: str) -> None:
    """Exactly the labels that the query keeps: one less, and two series share a name."""
    for query in (query for query in ASKED if query.board == name):
        named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        kept = labels_given(filled(query.expr)) or frozenset()
        if query.instant:
            assert not named, f"{query}: a table has the labels as columns"
        elif query.legend == "{{le}}":
            assert not kept, query
        else:
            assert named == kept, query


@pytest.mark.parametrize("name", NAMES)
def test_two_queries_of_a_panel_have_names_of_their_own(name: str) -> None:
    legends: dict[str, list[str]] = {}
    for query in (query for query in ASKED if query.board == name):
        legends.setdefault(query.panel, []).append(query.legend)
    for panel, found in legends.items():
        assert len(set(found)) == len(found), panel
        assert len(found) == 1 or all(found), panel


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_changes_a_panel(name: str) -> None:
    variables = {variable["name"] for variable in board(name)["templating"]["list"]} - {
        "datasource",
        "family",
    }
    used = {found for query in ASKED if query.board == name for found in re.findall(r"\$(\w+)", query.expr)}

    assert used - {"__rate_interval", "__range"} == variables
