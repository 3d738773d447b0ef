"""gateway.hardening: the memory of a gateway ends in no file."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import settings_for
from tests.e2e.process import clean, serving

ABOUT_ITSELF = """
import ctypes, resource
from gateway.hardening import forbid_dumps
before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
forbid_dumps()
print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows undumpable processes")
def test_a_process_is_made_undumpable() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ABOUT_ITSELF], capture_output=True, text=True, env=clean({}), check=True
    )
    assert ended.stdout.strip() == "1 0 (0, 0)"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_serve_forbids_dumps(tmp_path: Path) -> None:
    settings = settings_for("http://127.0.0.1:9/api/v1.1")
    with serving(tmp_path, settings, {"TOKEN": "a-token-of-the-test"}) as gateway:
        limits = Path(f"/proc/{gateway.process.pid}/limits").read_text().splitlines()
    (core,) = [line for line in limits if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]
