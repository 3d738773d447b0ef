"""The rules of Grafana's dashboard-linter for Prometheus, each as a function that names what is wrong.

The tool itself is not to be had from a package index. The names are its own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import promql_parser

from tests.dashboards.drawn import Board, Selector, filled, panels, selectors

Rule = Callable[[Board], Iterator[str]]

RATE_SECONDS = 61.0
"""What `$__rate_interval` stands for here: nobody writes this window by hand."""

UNITS = {"reqps", "ops", "percentunit", "s", "dtdurations", "bytes", "short", "dateTimeAsIso"}
"""Of the linter's list of valid units those that say something here."""


def _variables(board: Board, kind: str) -> list[dict[str, Any]]:
    return [variable for variable in board["templating"]["list"] if variable["type"] == kind]


def _selectors(expr: str) -> list[Selector]:
    names = {name: f"${name}" for name in ("job", "instance", "family", "method", "account", "caller")}
    return selectors(filled(expr, names, rate=f"{RATE_SECONDS:.0f}s", shown="7m"))


def _targets(board: Board) -> Iterator[tuple[str, str]]:
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def template_datasource(board: Board) -> Iterator[str]:
    sources = _variables(board, "datasource")
    if len(sources) != 1:
        yield f"{len(sources)} variables for the data source"
    for source in sources:
        if (source["name"], source["label"]) != ("datasource", "Data source"):
            yield f"the data source is called {source['name']}, {source['label']}"


def _template(board: Board, name: str) -> Iterator[str]:
    found = [variable for variable in board["templating"]["list"] if variable["name"] == name]
    if not found:
        yield f"no variable {name}"
        return
    (variable,) = found
    expected = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}
    for key, value in expected.items():
        if variable.get(key) != value:
            yield f"{key} of {name} is {variable.get(key)}, not {value}"
    if variable["datasource"]["uid"] != "${datasource}":
        yield f"{name} does not use the chosen data source"


def template_job(board: Board) -> Iterator[str]:
    yield from _template(board, "job")


def template_instance(board: Board) -> Iterator[str]:
    yield from _template(board, "instance")


def template_label_promql(board: Board) -> Iterator[str]:
    for variable in _variables(board, "query"):
        found = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"])
        if found is None:
            yield f"{variable['name']}: {variable['query']}"
        else:
            yield from _parse(found[1])


def template_on_time_change_reload(board: Board) -> Iterator[str]:
    for variable in _variables(board, "query"):
        if variable["refresh"] != 2:
            yield f"{variable['name']} is not read again when the time range changes"


def panel_datasource(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if panel["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
            yield f"{panel['title']} has a data source of its own"


def panel_title_description(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel['id']} has no title or no description"


def panel_units(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{panel['title']} has no unit"


def panel_no_targets(board: Board) -> Iterator[str]:
    for panel in panels(board):
        if not panel.get("targets"):
            yield f"{panel['title']} asks nothing"


def target_promql(board: Board) -> Iterator[str]:
    for title, expr in _targets(board):
        for problem in _parse(expr):
            yield f"{title}: {problem}"


def target_rate_interval(board: Board) -> Iterator[str]:
    for title, expr in _targets(board):
        for selector in _selectors(expr):
            if selector.function in {"rate", "irate"} and selector.window != RATE_SECONDS:
                yield f"{title}: {selector.name} over a window of its own"


def _has_matcher(board: Board, label: str) -> Iterator[str]:
    for title, expr in _targets(board):
        for selector in _selectors(expr):
            if selector.matchers.get(label) != f'=~"${label}"':
                yield f"{title}: {selector.name} is not narrowed by {label}"


def target_job(board: Board) -> Iterator[str]:
    yield from _has_matcher(board, "job")


def target_instance(board: Board) -> Iterator[str]:
    yield from _has_matcher(board, "instance")


def target_counter_agg(board: Board) -> Iterator[str]:
    for title, expr in _targets(board):
        for selector in _selectors(expr):
            if selector.name.endswith("_total") and selector.function not in {"rate", "irate", "increase"}:
                yield f"{title}: {selector.name} is a counter and only ever grows"


def uneditable_dashboard(board: Board) -> Iterator[str]:
    if board["editable"]:
        yield "what is edited in Grafana is lost with the next provisioning"


def _parse(expr: str) -> Iterator[str]:
    try:
        promql_parser.parse(filled(expr))
    except ValueError as error:
        yield f"{expr}: {error}"


RULES: Mapping[str, Rule] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_job,
    "template-instance-rule": template_instance,
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": target_job,
    "target-instance-rule": target_instance,
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable_dashboard,
}
