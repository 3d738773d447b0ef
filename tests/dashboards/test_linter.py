"""Dashboards keep the rules of Grafana's linter, and each rule notices a dashboard that does not."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboards.drawn import NAMES, Board, board, panels
from tests.dashboards.linter import RULES


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_keeps_the_rule(name: str, rule: str) -> None:
    assert list(RULES[rule](board(name))) == []


def _variable(content: Board, name: str) -> Any:
    return next(variable for variable in content["templating"]["list"] if variable["name"] == name)


def _panel(content: Board) -> Any:
    return panels(content)[1]


def _ask(expr: str) -> Callable[[Board], None]:
    def change(content: Board) -> None:
        _panel(content)["targets"][0]["expr"] = expr

    return change


OWN = 'job=~"$job", instance=~"$instance"'
BROKEN: dict[str, Callable[[Board], object]] = {
    "template-datasource-rule": lambda it: _variable(it, "datasource").update(name="source"),
    "template-job-rule": lambda it: _variable(it, "job").update(multi=False),
    "template-instance-rule": lambda it: it["templating"]["list"].remove(_variable(it, "instance")),
    "template-label-promql-rule": lambda it: _variable(it, "job").update(query="label_values(up{, job)"),
    "template-on-time-change-reload-rule": lambda it: _variable(it, "job").update(refresh=1),
    "panel-datasource-rule": lambda it: _panel(it).update(datasource={"type": "prometheus", "uid": "mine"}),
    "panel-title-description-rule": lambda it: _panel(it).update(description=""),
    "panel-units-rule": lambda it: _panel(it)["fieldConfig"]["defaults"].pop("unit"),
    "panel-no-targets-rule": lambda it: _panel(it).update(targets=[]),
    "target-promql-rule": _ask("sum(rate("),
    "target-rate-interval-rule": _ask(f"rate(gateway_requests_total{{{OWN}}}[5m])"),
    "target-job-rule": _ask('up{job="gateway", instance=~"$instance"}'),
    "target-instance-rule": _ask('up{job=~"$job"}'),
    "target-counter-agg-rule": _ask(f"sum(gateway_requests_total{{{OWN}}})"),
    "uneditable-dashboard": lambda it: it.update(editable=True),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_notices_what_it_is_for(rule: str) -> None:
    content = board("overview")
    BROKEN[rule](content)
    assert list(RULES[rule](content)) != []
