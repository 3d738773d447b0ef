"""A short run of every atheris target; `make fuzz` makes long ones."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.properties import TARGETS
from tests.tools import missing

pytestmark = pytest.mark.full

RUNS = 20_000


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_finds_nothing(target: str, tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        missing("atheris", "make setup-full")
    root = Path(__file__).parents[2]
    found = tmp_path / "found"  # else what is new goes to the seeds
    found.mkdir()
    options = [f"-runs={RUNS}", "-max_total_time=60", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.fuzz", target, *options, str(found)]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "Done " in ended.stderr
