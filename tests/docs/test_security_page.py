"""docs/security.md: every promise has its tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [
    line
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| promise", "| ---"))
]
NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", PAGE)))


def functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_are_promises() -> None:
    assert len(ROWS) >= 35


@pytest.mark.parametrize("row", ROWS)
def test_a_promise_names_its_tests(row: str) -> None:
    assert "`tests/" in row.rsplit(" | ", 1)[1]


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_is_named_exists(named: str) -> None:
    path, _, name = named.partition("::")
    found = functions(ROOT / path)
    assert name in found if name else any(one.startswith("test_") for one in found)


def test_the_threat_model_is_there_and_leads_here() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    for heading in (
        "Who may reach what",
        "What is promised",
        "What is not promised",
        "How to report a fault",
    ):
        assert f"## {heading}" in text
    assert "(docs/security.md)" in text
