"""gateway.ways: what of the way to a platform survives a change of the settings."""

import logging
from pathlib import Path
from typing import Any

import pytest
import trustme

from gateway import occurrence
from gateway.errors import SettingsError
from gateway.policy.breaker import Permit
from gateway.settings.model import Settings
from gateway.settings.upstream import Tls
from gateway.ways import Trust, Way, unused, ways

TRUST = Trust.load(Tls())
PARTS = ("transport", "admission", "breaker", "budget")


def settings(**sections: Any) -> Settings:
    return Settings.model_validate(sections)


def parts(way: Way) -> tuple[object, ...]:
    return way.transport, way.guards.admission, way.guards.breaker, way.guards.budget


def changed(**sections: Any) -> set[str]:
    """The parts that are new after a change from the defaults to these settings."""
    old = ways(settings(), TRUST, {})["default"]
    new = ways(settings(**sections), TRUST, {"default": old})["default"]
    return {name for name, was, now in zip(PARTS, parts(old), parts(new), strict=True) if was is not now}


@pytest.mark.parametrize(
    ("section", "parts_changed"),
    [
        pytest.param({"log": {"level": "debug"}}, set(), id="something else"),
        pytest.param({"methods": {"profiles/get": {"ttl": "1s"}}}, set(), id="methods"),
        pytest.param({"token": {"env": "OTHER"}}, set(), id="the token"),
        pytest.param({"upstream": {"format": "xml"}}, set(), id="the format"),
        pytest.param({"upstream": {"retries": {"attempts": 5}}}, set(), id="retries"),
        pytest.param({"upstream": {"retries": {"budget": 0.5}}}, {"budget"}, id="the budget"),
        pytest.param({"upstream": {"breaker": {"open_for": "9s"}}}, {"breaker"}, id="the breaker"),
        pytest.param({"limits": {"max_queued": 7}}, {"admission"}, id="the queue"),
        pytest.param({"upstream": {"keepalive": "1s"}}, {"transport"}, id="keepalive"),
        pytest.param({"upstream": {"transport": "httpx"}}, {"transport"}, id="another transport"),
        pytest.param({"limits": {"reply_bytes": "1MiB"}}, {"transport"}, id="a limit of replies"),
        pytest.param(
            {"upstream": {"max_connections": 7}}, {"transport", "admission"}, id="connections and places"
        ),
        pytest.param({"upstream": {"timeouts": {"total": "9s"}}}, {"breaker"}, id="the longest attempt"),
        pytest.param({"upstream": {"base_url": "https://other.example/v1"}}, set(PARTS), id="a platform"),
    ],
)
def test_only_what_changed_is_new(section: dict[str, Any], parts_changed: set[str]) -> None:
    assert changed(**section) == parts_changed


def test_a_changed_rule_of_retries_is_in_use_though_everything_else_is_kept() -> None:
    old = ways(settings(), TRUST, {})
    new = ways(settings(upstream={"retries": {"attempts": 7}}), TRUST, old)
    assert new["default"].guards.rule.attempts == 7


def test_what_is_kept_goes_on_being_compared_with_the_latest_settings() -> None:
    """There and back again: the second change is one too."""
    first = ways(settings(), TRUST, {})
    second = ways(settings(limits={"max_queued": 7}), TRUST, first)
    third = ways(settings(), TRUST, second)
    assert first["default"].guards.admission is not third["default"].guards.admission
    assert second["default"].guards.admission is not third["default"].guards.admission
    assert first["default"].transport is third["default"].transport


def test_an_account_that_comes_or_goes_touches_no_other() -> None:
    account = {"base_url": "https://eu.example/v1", "token": {"env": "EU"}}
    two = settings(accounts={"eu": account})
    alone = ways(settings(), TRUST, {})
    both = ways(two, TRUST, alone)
    again = ways(settings(), TRUST, both)
    assert alone["default"] == both["default"] == again["default"]
    assert unused(alone, both) == ()
    assert unused(both, again) == (both["eu"].transport,)


def test_a_certificate_that_was_renewed_in_place_is_another_trust(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    tls = Tls.model_validate({"ca_file": str(file)})
    trust = Trust.load(tls)
    assert trust.is_current(tls)
    trustme.CA().cert_pem.write_to_path(str(file))
    assert not trust.is_current(tls)
    renewed = Trust.load(tls)
    assert renewed != trust
    named = settings(upstream={"tls": {"ca_file": str(file)}})
    old = ways(named, trust, {})
    new = ways(named, renewed, old)
    assert unused(old, new) == (old["default"].transport,)
    assert new["default"].guards.breaker is old["default"].guards.breaker


def test_loading_the_same_files_again_keeps_the_connections() -> None:
    old = ways(settings(), TRUST, {})
    new = ways(settings(), Trust.load(Tls()), old)
    assert unused(old, new) == ()


def test_files_that_cannot_be_used_are_a_problem_of_the_settings(tmp_path: Path) -> None:
    tls = Tls.model_validate({"ca_file": str(tmp_path / "gone.pem")})
    with pytest.raises(SettingsError) as refused:
        Trust.load(tls)
    (problem,) = refused.value.problems
    assert (problem.key, "gone.pem" in problem.text) == ("upstream.tls", True)


def test_what_a_breaker_does_is_an_event(caplog: pytest.LogCaptureFixture) -> None:
    eager = {"failure_ratio": 0.1, "min_calls": 1, "open_for": "5s"}
    breaker = ways(settings(upstream={"breaker": eager}), TRUST, {})["default"].guards.breaker
    with caplog.at_level(logging.INFO):
        for now, failed in ((0.0, True), (5.0, False)):
            permit = breaker.enter(now)
            assert isinstance(permit, Permit)
            breaker.leave(permit, now, failed=failed)
    assert [(record.levelname, dict(occurrence.of(record))) for record in caplog.records] == [
        (level, {"event": "breaker_changed", "account": "default", "state": state})
        for level, state in (("WARNING", "open"), ("INFO", "half_open"), ("INFO", "closed"))
    ]
