"""The shipped dashboards and rules, read back from their files, and their queries taken apart.

The parser of PromQL is somebody else's, and so is the format: what is found here does not come from the code
that wrote the files.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import promql_parser
import yaml

GRAFANA = Path(__file__).parents[2] / "grafana"
NAMES = sorted(path.stem for path in (GRAFANA / "dashboards").glob("*.json"))

Board = dict[str, Any]

_SELF = {"job": ".+", "instance": ".+", "family": ".+", "method": ".+", "account": ".+", "caller": ".+"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Asked:
    """A query of a panel."""

    board: str
    panel: str
    letter: str
    expr: str
    legend: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.board}: {self.panel} ({self.letter})"


@dataclass(frozen=True)
class Selector:
    """A metric as a query names it. `function` is what is done to it next, "" for nothing."""

    name: str
    matchers: Mapping[str, str]  # label -> operator and value, as in =~".+"
    window: float | None  # seconds
    function: str


def board(name: str) -> Board:
    content: Board = json.loads((GRAFANA / "dashboards" / f"{name}.json").read_text())
    return content


def panels(content: Board) -> list[dict[str, Any]]:
    """All that shows something, so not the rows."""
    return [panel for panel in content["panels"] if panel["type"] != "row"]


def asked(name: str) -> list[Asked]:
    return [
        Asked(
            name,
            panel["title"],
            target["refId"],
            target["expr"],
            target["legendFormat"],
            bool(target.get("instant")),
        )
        for panel in panels(board(name))
        for target in panel["targets"]
    ]


ASKED = [query for name in NAMES for query in asked(name)]


def rules() -> list[dict[str, Any]]:
    """Recording rules and alerts, as Prometheus reads them."""
    files = sorted((GRAFANA / "prometheus" / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


RULES = rules()
ALERTS = [rule for rule in RULES if "alert" in rule]


def filled(expr: str, values: Mapping[str, str] = _SELF, *, rate: str = "1m", shown: str = "5m") -> str:
    """The query as Grafana sends it."""
    known = {"__rate_interval": rate, "__range": shown, **values}
    return _VARIABLE.sub(lambda found: known[found[1] or found[2]], expr)


def nodes(expr: str) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """All nodes of a query without variables, each with those above it, the nearest last."""

    def below(node: Any, parents: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        yield node, parents
        for child in _children(node):
            yield from below(child, (*parents, node))

    yield from below(promql_parser.parse(expr), ())


def _children(node: Any) -> Iterator[Any]:
    for name in ("expr", "param", "lhs", "rhs", "vector_selector"):
        child = getattr(node, name, None)
        if isinstance(child, promql_parser.Expr):
            yield child
    yield from getattr(node, "args", ())


def selectors(expr: str) -> list[Selector]:
    """Of a query without variables."""
    found = []
    for node, parents in nodes(expr):
        if isinstance(node, promql_parser.VectorSelector):
            ranged = _nearest(parents, promql_parser.MatrixSelector)
            call = _nearest(parents[:-1] if ranged else parents, promql_parser.Call)
            found.append(
                Selector(
                    node.name or "",
                    {matcher.name: str(matcher)[len(matcher.name) :] for matcher in node.matchers.matchers},
                    ranged.range.total_seconds() if ranged else None,
                    call.func.name if call else "",
                )
            )
    return found


def _nearest(parents: tuple[Any, ...], kind: type) -> Any:
    """What stands right above, if it is of that kind."""
    return parents[-1] if parents and isinstance(parents[-1], kind) else None


def labels_given(expr: str) -> frozenset[str] | None:
    """The labels of what a query gives, by its outermost aggregation; None where it has none."""
    node = promql_parser.parse(expr)
    while not isinstance(node, promql_parser.AggregateExpr):
        if isinstance(node, promql_parser.BinaryExpr):
            node = node.lhs if not isinstance(node.lhs, promql_parser.NumberLiteral) else node.rhs
        elif isinstance(node, promql_parser.ParenExpr):
            node = node.expr
        elif isinstance(node, promql_parser.Call) and node.args:
            node = node.args[-1]
        else:
            return None
    return frozenset(node.modifier.labels if node.modifier else ()) - {"le"}
