"""The README's examples are run as they stand, but for the port.

A block of Python is run when the line before its fence says so: `<!-- run: python -->`. Those for a shell are
run by `test_newcomer.py`.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.caller import PATIENCE, Caller

README = Path(__file__).parents[2] / "README.md"
ADDRESS = "http://127.0.0.1:8080"
BLOCK = re.compile(r"^<!-- run: (\w+) -->\n+```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    found = [text for named, text in BLOCK.findall(README.read_text()) if named == kind]
    assert found, f"the README has no block to run as {kind}"
    assert all(ADDRESS in text for text in found)
    return found


def executed(program: list[str], text: str) -> str:
    ended = subprocess.run(program, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("example", blocks("python"))
def test_the_python_example_works(caller: Caller, example: str) -> None:
    said = executed([sys.executable, "-W", "error", "-"], example.replace(ADDRESS, caller.address))
    assert re.fullmatch("[0-9a-f]{24}\n", said)


def test_no_example_sends_a_token() -> None:
    calls = [*blocks("python"), *(block for block in CONSOLE.findall(README.read_text()) if "curl" in block)]
    assert len(calls) >= 4
    assert not [call for call in calls if "token" in call.lower()]
