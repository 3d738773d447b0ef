"""The fixture, used as in a project that has only the installed package."""

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


def test_the_fixture_in_a_project_of_its_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(TEST)
    result = pytester.runpytest_subprocess("-p", "gateway.sandbox.pytest_plugin", "-W", "error", timeout=60)
    result.assert_outcomes(passed=2)
