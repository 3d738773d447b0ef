"""The fixture, used as in a project that has only the installed package."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TEST = """
import httpx

def test_a_profile_is_added(platform_sandbox):
    reply = httpx.post(
        f"{platform_sandbox.base_url}/profiles/add",
        json={"token": platform_sandbox.token, "db_id": 1, "data": {"email": "new@example.com"}},
    )
    assert reply.json()["error"] == 0
    assert len(platform_sandbox.sandbox.calls.executed("profiles/add")) == 1

def test_each_test_has_its_own(platform_sandbox):
    assert len(platform_sandbox.sandbox.calls) == 0
    assert httpx.get(f"{platform_sandbox.origin}/-/calls").json() == []
"""


def test_installing_the_package_is_all_that_a_project_needs(tmp_path: Path) -> None:
    """No `-p`, no `conftest.py`, no path: pytest finds the fixture by the installed entry point."""
    (tmp_path / "test_mine.py").write_text(TEST)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "PYTHONPATH", "COV_"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--rootdir", str(tmp_path)]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_fixture_without_other_plugins(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TEST)
    result = pytester.runpytest_subprocess("-p", "gateway.sandbox.pytest_plugin", "-W", "error", timeout=60)
    result.assert_outcomes(passed=2)
