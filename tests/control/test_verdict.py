"""gateway.control.verdict: is it well, and if not, whose turn is it?"""

from collections import Counter

import pytest

from gateway.control import verdict
from gateway.control.readiness import Check
from gateway.control.status import Finding, StoreRow
from gateway.observe.blame import own_reason
from gateway.observe.recent import End
from tests.control.samples import account, token

NOW = 1000.0
WELL = End("0", "upstream", "", None, False)


def failing(code: str, error: str = "") -> End:
    return End(code, "gateway" if error else "upstream", error, None, True)


def of_calls(**ends: int) -> list[Finding]:
    """Ends by code or, with letters, by the gateway's own reason."""
    counted = Counter({WELL: ends.pop("well", 0)})
    for name, count in ends.items():
        reason = name.replace("_", "-").lstrip("c")
        counted[failing(reason) if reason.isdigit() else failing("502", name.replace("_", "-"))] = count
    return list(verdict.of_calls(counted))


def test_without_findings_all_is_well() -> None:
    assert verdict.verdict(()).headline == "All is well"
    assert of_calls() == of_calls(well=100) == []


def test_what_callers_have_to_deal_with_leaves_it_well() -> None:
    found = verdict.verdict(of_calls(well=10, c404=80, c435=10))
    assert (found.level, found.headline) == ("well", "All is well")
    [finding] = found.findings
    assert finding.text == (
        "90 % of the calls of the last minute were refused: 404 not found × 80, 435 ambiguous search × 10"
    )


def test_the_configured_pace_at_work_is_no_fault() -> None:
    paced = End("503", "gateway", own_reason("overloaded", "overloaded: … upstream.rate …"), None, True)
    full = End("503", "gateway", own_reason("overloaded", "overloaded: no free connection"), None, True)
    found = verdict.verdict(verdict.of_calls({WELL: 10, paced: 30}))
    assert (found.level, found.headline) == ("well", "All is well")
    [finding] = found.findings
    assert finding.text == (
        "75 % of the calls of the last minute were refused: more than upstream.rate allows × 30"
    )
    assert verdict.verdict(verdict.of_calls({WELL: 10, full: 30})).level == "critical"


def test_a_redis_that_is_away_is_one_finding() -> None:
    check = Check("redis", False, "127.0.0.1:6379: away", required=False)
    rows = [StoreRow(name=name, kind="shared", well=False, detail="") for name in ("redis", "journal")]
    findings = verdict.of_parts([check], [], [], rows, NOW)
    assert [finding.text.split()[0] for finding in findings] == ["redis:", "journal"]


@pytest.mark.parametrize(
    ("ends", "level", "headline"),
    [
        pytest.param(
            {"well": 99, "upstream_reset": 1}, "warning", "Working, with trouble: the platform", id="a few"
        ),
        pytest.param({"well": 80, "upstream_reset": 20}, "critical", "Not well: the platform", id="many"),
        pytest.param({"well": 80, "c500": 20}, "critical", "Not well: the platform", id="its own code"),
        pytest.param({"well": 80, "internal": 20}, "critical", "Not well: the gateway", id="the gateway"),
        pytest.param(
            {"well": 80, "c402": 20},
            "critical",
            "Not well: the account: its token, rights or tariff",
            id="tariff",
        ),
    ],
)
def test_the_headline_names_whose_turn_it_is(ends: dict[str, int], level: str, headline: str) -> None:
    found = verdict.verdict(of_calls(**ends))
    assert (found.level, found.headline) == (level, headline)


def test_the_worst_comes_first() -> None:
    found = verdict.verdict(of_calls(well=60, c404=10, c402=5, upstream_timeout=25))
    assert [finding.turn for finding in found.findings] == ["platform", "account", "caller"]


@pytest.mark.parametrize(
    ("parts", "level", "turn", "text"),
    [
        pytest.param(
            {"checks": [Check("token default/default", False, "file /t: there is no token")]},
            "critical",
            "account",
            "not ready: token default/default: file /t: there is no token",
            id="no token",
        ),
        pytest.param(
            {"checks": [Check("redis", False, "127.0.0.1:6379: away", required=False)]},
            "warning",
            "gateway",
            "redis: 127.0.0.1:6379: away",
            id="what is ready without",
        ),
        pytest.param(
            {"accounts": [account(breaker="half_open")]},
            "critical",
            "platform",
            "the breaker of account default is half-open: the platform mostly failed",
            id="breaker",
        ),
        pytest.param(
            {"tokens": [token(rejected_at=NOW - 3)]},
            "critical",
            "account",
            "the platform rejected token default/default (401), last 3 s ago",
            id="rejected",
        ),
        pytest.param(
            {"tokens": [token(problem="file /t: there is no token")]},
            "warning",
            "account",
            "token default/default stays as it is: file /t: there is no token",
            id="unreadable",
        ),
        pytest.param(
            {"stores": [StoreRow(name="journal", kind="file", well=False, detail="/j")]},
            "warning",
            "gateway",
            "journal cannot be used: /j",
            id="store",
        ),
    ],
)
def test_what_the_parts_say(parts: dict[str, list[object]], level: str, turn: str, text: str) -> None:
    all_parts = {"checks": [], "accounts": [account()], "tokens": [token()], "stores": [], **parts}
    [finding] = verdict.of_parts(**all_parts, now=NOW)  # type: ignore[arg-type]
    assert (finding.level, finding.turn, finding.text) == (level, turn, text)


def test_a_rejection_is_news_for_a_minute() -> None:
    old = [token(rejected_at=NOW - 61)]
    assert list(verdict.of_parts([], [], old, [], NOW)) == []


def test_what_the_process_says() -> None:
    assert list(verdict.of_process(loop_lag=0.05, reload_successful=True)) == []
    late, refused = verdict.of_process(loop_lag=0.25, reload_successful=False)
    assert late.text == "the event loop was late by 250 ms within the last minute"
    assert refused.text.startswith("the configuration was refused")
