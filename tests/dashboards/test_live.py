"""A real Prometheus scrapes a gateway under mixed load: every query that is shipped finds something."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest

from tests.dashboards.drawn import ASKED, NAMES, RULES, Asked, board, filled, nodes
from tests.dashboards.mixed_load import Loaded, loaded
from tests.dashboards.monitoring import Prometheus, Sample, prometheus, promtool

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]

SCRAPES = 12
RATE, SHOWN = "8s", "60s"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen enough, while calls go on."""
    with loaded(tmp_path_factory.mktemp("gateway")) as gateway:
        target = gateway.caller.authority
        with prometheus(tmp_path_factory.mktemp("prometheus"), target) as server, gateway.going_on():
            server.wait_for_scrapes(SCRAPES)
            yield server


def sent(expr: str) -> str:
    """As Grafana sends it, with everything chosen."""
    return filled(expr, rate=RATE, shown=SHOWN)


def found(server: Prometheus, expr: str, *, instant: bool = False) -> list[Sample]:
    now = time.time()
    return server.at(expr, now) if instant else server.over(expr, now - 15, now)


def says_something(samples: list[Sample]) -> bool:
    return any(math.isfinite(value) for sample in samples for value in sample.values)


@pytest.mark.parametrize("query", ASKED, ids=str)
def test_a_panel_shows_something(watched: Prometheus, query: Asked) -> None:
    assert says_something(found(watched, sent(query.expr), instant=query.instant))


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_have_something_to_choose(watched: Prometheus, name: str) -> None:
    for variable in board(name)["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = (
                variable["query"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
            )
            assert watched.values(label, sent(selector)), variable["name"]


@pytest.mark.parametrize("name", NAMES)
def test_marks_are_set(watched: Prometheus, name: str) -> None:
    for annotation in board(name)["annotations"]["list"]:
        assert says_something(found(watched, sent(annotation["expr"]))), annotation["name"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_has_what_it_watches(watched: Prometheus, rule: dict[str, str]) -> None:
    """An alert that does not fire gives nothing; but each series that it looks at is there."""
    assert watched.at(rule["expr"]) is not None
    if "record" in rule:
        assert says_something(found(watched, rule["record"]))
    for node, _ in nodes(rule["expr"]):
        if isinstance(node, promql_parser.VectorSelector):
            assert says_something(watched.at(str(node))), str(node)


def test_prometheus_evaluates_every_rule_without_an_error(watched: Prometheus) -> None:
    rules = watched.rules()

    assert len(rules) == len(RULES)
    assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == {
        (rule["name"], "ok", "") for rule in rules
    }


BURST = {("profiles/add", "402"): 7, ("databases/get", "404"): 5, ("profiles/get", "435"): 3}


def test_a_burst_of_error_codes_is_seen_by_method_in_metric_and_panel(tmp_path: Path) -> None:
    (tmp_path / "prometheus").mkdir()
    folder = tmp_path / "prometheus"
    with loaded(tmp_path) as gateway, prometheus(folder, gateway.caller.authority, every="500ms") as server:
        server.wait_for_scrapes(3)
        send_burst(gateway)
        text = gateway.caller.get("/metrics").body.decode()
        assert promtool("check", "metrics", page=text) == ""
        for (method, code), times in BURST.items():
            labels = f'api_method="{method}",code="{code}",origin="upstream"'
            assert f"gateway_requests_total{{{labels}}} {times}\n" in text
        # `increase` reckons with at most one scrape more than there are: of 7 calls 0.4 by now.
        server.wait_for_scrapes(24)
        (query,) = [one for one in ASKED if one.panel == "Error codes by method"]
        shown = {
            (sample.labels["api_method"], sample.labels["code"]): round(sample.values[0])
            for sample in server.at(sent(query.expr))
        }
        assert shown == BURST


def send_burst(gateway: Loaded) -> None:
    call = gateway.caller.json
    for _ in range(7):
        call("profiles/add", db_id=3, data={"email": "one-too-many@example.com"})
    for _ in range(5):
        call("databases/get", id=99)
    for _ in range(3):
        call("profiles/get", db_id=1, email="twin@example.com")
