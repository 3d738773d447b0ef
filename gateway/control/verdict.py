"""Is it well, and if not, whose turn is it? Judged from what the status page shows anyway, so that whoever
doubts the headline finds its reasons below.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from gateway.control.readiness import Check
from gateway.control.status import AccountRow, Finding, Level, StoreRow, TokenRow, Verdict
from gateway.observe.blame import MEANINGS, PACED, Turn
from gateway.observe.recent import End

CRITICAL_SHARE = 0.1
"""Of the calls of the last minute: more than this, and it is not well."""
FRESH = 60.0
"""Seconds for which a rejected token is news."""
LATE = 0.1
"""Seconds that the event loop may be late."""
_SHOWN = 3  # reasons in one sentence

_SAID: Mapping[str, str] = MappingProxyType({**MEANINGS, PACED: "more than upstream.rate allows"})
_RANKS: Mapping[Level, int] = MappingProxyType({"well": 0, "warning": 1, "critical": 2})
_WHO: Mapping[Turn, str] = MappingProxyType(
    {
        "platform": "the platform",
        "account": "the account: its token, rights or tariff",
        "gateway": "the gateway",
        "caller": "what callers ask for",
    }
)


def verdict(findings: Iterable[Finding]) -> Verdict:
    """The worst first; its turn is in the headline."""
    ordered = sorted(findings, key=lambda finding: -_RANKS[finding.level])
    if not ordered or ordered[0].level == "well":
        return Verdict(level="well", headline="All is well", findings=tuple(ordered))
    worst = ordered[0]
    word = "Not well" if worst.level == "critical" else "Working, with trouble"
    return Verdict(level=worst.level, headline=f"{word}: {_WHO[worst.turn]}", findings=tuple(ordered))


def of_calls(ends: Mapping[End, int]) -> Iterator[Finding]:
    """What the calls of the last minute say."""
    calls = sum(ends.values())
    for who in ("platform", "account", "gateway", "caller"):
        reasons: Counter[str] = Counter()
        for end, count in ends.items():
            if end.turn == who:
                reasons[end.error or end.code] += count
        if reasons:
            failed = reasons.total()
            yield Finding(level=_level(who, failed, calls), turn=who, text=_sentence(who, reasons, calls))


def of_parts(
    checks: Iterable[Check],
    accounts: Iterable[AccountRow],
    tokens: Iterable[TokenRow],
    stores: Iterable[StoreRow],
    now: float,
) -> Iterator[Finding]:
    """What the parts say of themselves."""
    failed = [check for check in checks if not check.passed]
    for check in failed:
        who: Turn = "account" if check.name.startswith("token ") else "gateway"
        said = f"{check.name}: {check.detail}"
        if check.required:
            yield Finding(level="critical", turn=who, text=f"not ready: {said}")
        else:
            yield Finding(level="warning", turn=who, text=said)
    for account in accounts:
        if account.breaker != "closed":
            text = f"the breaker of account {account.name} is {account.breaker.replace('_', '-')}: "
            yield Finding(level="critical", turn="platform", text=f"{text}the platform mostly failed")
    for token in tokens:
        yield from _of_token(token, now)
    said_of = {check.name for check in failed}  # one fault is one finding
    for store in stores:
        if not store.well and store.name not in said_of:
            yield Finding(
                level="warning", turn="gateway", text=f"{store.name} cannot be used: {store.detail}"
            )


def of_process(*, loop_lag: float, reload_successful: bool) -> Iterator[Finding]:
    """What the process itself says."""
    if loop_lag > LATE:
        text = f"the event loop was late by {loop_lag * 1000:.0f} ms within the last minute"
        yield Finding(level="warning", turn="gateway", text=text)
    if not reload_successful:
        text = "the configuration was refused when it was read again; the old one is in use, the log says why"
        yield Finding(level="warning", turn="gateway", text=text)


def _of_token(token: TokenRow, now: float) -> Iterator[Finding]:
    name = f"token {token.account}/{token.name}"
    if token.rejected_at is not None and now - token.rejected_at < FRESH:
        ago = max(0.0, now - token.rejected_at)
        text = f"the platform rejected {name} (401), last {ago:.0f} s ago"
        yield Finding(level="critical", turn="account", text=text)
    if token.problem and token.age_seconds is not None:
        text = f"{name} stays as it is: {token.problem}"
        yield Finding(level="warning", turn="account", text=text)


def _level(who: Turn, failed: int, calls: int) -> Level:
    if who == "caller":
        return "well"  # an answer that a caller has to deal with is no trouble of the gateway's
    return "critical" if failed > CRITICAL_SHARE * calls else "warning"


def _sentence(who: Turn, reasons: Counter[str], calls: int) -> str:
    said = [f"{_SAID.get(reason, reason)} × {count}" for reason, count in reasons.most_common(_SHOWN)]
    more = "" if len(reasons) <= _SHOWN else ", …"
    share = 100 * reasons.total() / calls
    part = f"{share:.0f} %" if share >= 1 else "under 1 %"
    verb = "were refused" if who == "caller" else "failed"
    return f"{part} of the calls of the last minute {verb}: {', '.join(said)}{more}"
