"""The pages about the sandbox say what is there, and their examples run."""

import re
from pathlib import Path

import pytest

from gateway.sandbox.faults import Kind
from gateway.sandbox.methods import METHODS

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs/reference/sandbox.md").read_text()
HOW_TO = (ROOT / "docs/how-to/test-against-the-sandbox.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", HOW_TO, re.DOTALL)


def section(title: str) -> str:
    return REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_reference_names_every_method_and_no_other() -> None:
    assert set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*)`", section("Methods"))) == set(METHODS)


def test_the_reference_names_every_fault_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("Faults"), re.MULTILINE) == list(Kind)


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[re.findall(r"def (test_\w+)", text)[0] for text in EXAMPLES]
)
def test_the_examples_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, example: str) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(example)
    result = pytester.runpytest_subprocess("-p", "gateway.sandbox.pytest_plugin", "-W", "error", timeout=60)
    result.assert_outcomes(passed=1)
