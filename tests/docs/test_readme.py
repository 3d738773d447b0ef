"""The README's examples are run as they stand, but for the port.

A block is run when the line before its fence says so: `<!-- run: python -->` or `<!-- run: curl -->`.
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


def blocks(kind: str) -> list[str]:
    found = [text for named, text in BLOCK.findall(README.read_text()) if named == kind]
    assert found, f"the README has no block to run as {kind}"
    assert all(ADDRESS in text for text in found)
    return found


def commands(block: str) -> str:
    """The shell commands of a console block, without prompts."""
    return re.sub(r"^\$ ", "", block, flags=re.MULTILINE)


def executed(program: list[str], text: str) -> str:
    ended = subprocess.run(program, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_marked_block_is_of_a_kind_that_is_run() -> None:
    text = README.read_text()
    assert len(BLOCK.findall(text)) == text.count("<!-- run:")
    assert {kind for kind, _ in BLOCK.findall(text)} <= {"python", "curl"}


@pytest.mark.parametrize("example", blocks("python"))
def test_the_python_example_works(caller: Caller, example: str) -> None:
    said = executed([sys.executable, "-W", "error", "-"], example.replace(ADDRESS, caller.address))
    assert re.fullmatch("[0-9a-f]{24}\n", said)


def test_no_example_sends_a_token() -> None:
    for kind in ("python", "curl"):
        assert not [block for block in blocks(kind) if "token" in block.lower()]


@pytest.mark.full
def test_the_curl_examples_work_in_their_order(caller: Caller) -> None:
    shell = ["sh", "-eu"]
    examples = [commands(block).replace(ADDRESS, caller.address) for block in blocks("curl")]
    written, read, metrics = (executed(shell, text.replace("curl ", "curl -sSf ")) for text in examples)
    assert '"error":0' in written.replace(" ", "")
    assert "<_fname>Jim</_fname>" in read
    series = 'gateway_requests_total{api_method="profiles/import",code="0",origin="upstream"} 1'
    assert series in metrics
