"""Alerts say what whoever they wake needs to know, and each has its page."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from tests.dashboards.drawn import ALERTS, RULES, nodes, selectors
from tests.dashboards.test_promql import EXPORTED, RECORDED, family

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs" / "runbooks").glob("*.md") if path.name != "README.md")
HEADINGS = ["## What it means", "## How to see more", "## What to do"]
FENCE = re.compile(r"^ *```promql\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

Rule = dict[str, Any]
each_alert = pytest.mark.parametrize(
    "alert", ALERTS, ids=lambda alert: "-".join((alert["alert"], *sorted(alert["labels"].values())))
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@each_alert
def test_an_alert_says_how_bad_it_is_and_what_to_do(alert: Rule) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert (ROOT / alert["annotations"]["runbook_url"]).is_file()
    assert alert["annotations"]["summary"][-1] != "."
    assert (
        alert["annotations"]["description"][-1] == "." or "{{ end }}" in alert["annotations"]["description"]
    )


@each_alert
def test_an_alert_names_only_labels_that_it_has(alert: Rule) -> None:
    texts = f"{alert['annotations']['summary']} {alert['annotations']['description']}"
    named = set(re.findall(r"\$labels\.(\w+)", texts)) - set(alert["labels"])

    for label in named:
        assert label in {"job", "instance"} or re.search(rf"\bby \([^)]*\b{label}\b", alert["expr"]), label
    summed = re.search(r"\b(?:sum|max) by \(([^)]*)\)", alert["expr"])
    if "instance" in named and summed:
        assert "instance" in summed[1].split(", ")


@each_alert
def test_an_alert_is_about_one_job_at_a_time(alert: Rule) -> None:
    """Two installations that share a Prometheus must not make up for one another."""
    for node, _ in nodes(alert["expr"]):
        if isinstance(node, promql_parser.AggregateExpr):
            assert node.modifier is not None
            assert "job" in node.modifier.labels


def test_no_two_alerts_are_the_same() -> None:
    keys = [(alert["alert"], *sorted(alert["labels"].items())) for alert in ALERTS]
    assert len(set(keys)) == len(keys)


def test_alerts_of_errors_watch_counters_that_begin_at_zero() -> None:
    """`rate` and `increase` see what a series gains, so not its first value."""
    for rule in RULES:
        for selector in selectors(rule["expr"]):
            if selector.name.endswith("_total"):
                assert selector.function in {"rate", "increase"}, rule


@each_page
def test_a_page_says_what_it_means_how_to_see_more_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    assert FENCE.search(text), "a query to see more with"


@each_page
def test_a_page_is_of_an_alert_and_named_like_it(page: Path) -> None:
    names = {
        alert["alert"] for alert in ALERTS if alert["annotations"]["runbook_url"].endswith(f"/{page.name}")
    }
    assert page.read_text().splitlines()[0] == f"# {names.pop()}"
    assert not names


@each_page
def test_the_queries_of_a_page_ask_for_what_is_exported(page: Path) -> None:
    for query in FENCE.findall(page.read_text()):
        for selector in selectors(query):
            assert family(selector.name) in EXPORTED.keys() | RECORDED | {"up"}


def test_the_list_of_pages_is_whole() -> None:
    listed = re.findall(r"\]\(([a-z-]+\.md)\)", (ROOT / "docs" / "runbooks" / "README.md").read_text())
    assert set(listed) == {page.name for page in PAGES}


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    text = "\n".join(case.read_text() for case in (Path(__file__).parent / "rules").glob("*.test.yml"))
    for alert in {alert["alert"] for alert in ALERTS}:
        assert re.search(rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:\n", text), alert
        assert re.search(rf"alertname: {alert}, eval_time: \w+, exp_alerts: \[\]", text), alert
