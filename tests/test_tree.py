"""The tree stays one that a newcomer can walk: small files, small functions, nothing unfinished."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted([*(ROOT / "gateway").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])
FILE_LINES = 400
FUNCTION_LINES = 60
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|type: ignore$|pragma: no cover")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_a_file_is_short_enough_to_be_about_one_thing(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= FILE_LINES


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert long == []


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_a_file_says_what_it_is_for(path: Path) -> None:
    assert not path.read_text("utf-8").strip() or ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_nothing_is_left_unfinished() -> None:
    left = [
        f"{relative(path)}:{number}"
        for path in CODE
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert left == []


def test_every_package_file_is_tracked_or_ignored() -> None:
    """What is not in git is not in a clone: a test that passes here would fail there."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--others", "--exclude-standard", "gateway"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.stdout == ""
