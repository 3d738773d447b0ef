"""Prometheus rules as values, and how they are written.

The expressions are plain PromQL, without the variables of dashboards. Each alert has a page in
docs/runbooks/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml

RUNBOOKS = "docs/runbooks/{name}.md"
"""Where an alert's page is; another address has to have `{name}`, too."""


class Severity(StrEnum):
    """Who should look, and when."""

    CRITICAL = "critical"  # somebody, now
    WARNING = "warning"  # somebody, within the day
    INFO = "info"  # whoever looks after the configuration


@dataclass(frozen=True, slots=True)
class Record:
    """A series that Prometheus computes beforehand. The name is `level:metric:operation`."""

    name: str
    expr: str

    def content(self, runbooks: str) -> dict[str, Any]:
        return {"record": self.name, "expr": self.expr}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Fires once `expr` has given something for `wait`. Texts may use `{{ $labels.job }}`, `{{ $value }}`."""

    name: str
    expr: str
    wait: str
    severity: Severity
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def page(self) -> str:
        """The name of its runbook: `token-rejected` for GatewayTokenRejected."""
        return "-".join(re.findall("[A-Z][a-z]+", self.name.removeprefix("Gateway"))).lower()

    def content(self, runbooks: str) -> dict[str, Any]:
        """`runbooks` is as in `RUNBOOKS`."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.wait,
            "labels": {"severity": self.severity.value, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": runbooks.replace("{name}", self.page),
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: tuple[Record | Alert, ...]


def written(groups: tuple[Group, ...], runbooks: str) -> str:
    """The content of a file of rules."""
    content = {
        "groups": [
            {"name": group.name, "rules": [rule.content(runbooks) for rule in group.rules]}
            for group in groups
        ]
    }
    return to_yaml(content)


class _Dumper(yaml.SafeDumper):
    """Writes what has several lines as several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_yaml(content: object) -> str:
    """Text that begins with where it comes from."""
    head = "# Written by `gateway dashboards`; what is changed here is lost when it runs again.\n"
    return head + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
