"""Prometheus' own tool has nothing to say about the files, and the alerts fire when they should."""

import re
from pathlib import Path

import pytest

from tests.dashboards.drawn import GRAFANA, RULES
from tests.dashboards.monitoring import promtool

PROMETHEUS = GRAFANA / "prometheus"
CASES = sorted((Path(__file__).parent / "rules").glob("*.test.yml"))

pytestmark = pytest.mark.full


def test_the_configuration_is_valid_with_its_rules() -> None:
    assert "2 rule files found" in promtool("check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.parametrize("file", sorted((PROMETHEUS / "rules").glob("*.yml")), ids=lambda file: file.stem)
def test_rules_are_valid_and_none_is_there_twice(file: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", file)


def test_all_rules_are_seen() -> None:
    found = [
        int(number)
        for file in (PROMETHEUS / "rules").glob("*.yml")
        for number in re.findall(r"SUCCESS: (\d+) rules found", promtool("check", "rules", file))
    ]
    assert sum(found) == len(RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.partition(".")[0])
def test_alerts_fire_when_they_should_and_only_then(case: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", case)
