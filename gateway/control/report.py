"""Asks the running parts how they are, and puts it together as one `Status`. Changes nothing."""

import math
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, groupby

from gateway.control import verdict
from gateway.control.readiness import Check
from gateway.control.status import (
    AccountRow,
    CacheRow,
    FailedCall,
    MethodRow,
    Now,
    Status,
    StoreRow,
    TokenRow,
    TrafficPoint,
)
from gateway.observe.blame import own_reason, turn
from gateway.observe.labels import code_label
from gateway.observe.live import Live
from gateway.observe.recent import End, Point, Recent, Tally, Window
from gateway.records import CallRecord
from gateway.settings.model import Settings
from gateway.settings.shown import shown
from gateway.settings.units import write_size
from gateway.tokens.keeper import TokenState

WINDOWS = {"1m": 60.0, "5m": 300.0, "start": math.inf}
"""The times that methods can be looked at over."""
NOW = 10.0
"""Seconds that `now` looks back."""
COLUMN = 4.0
"""Seconds of one point of the charts."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Who is asked."""

    version: str
    started_at: float
    wall_clock: Callable[[], float]
    recent: Recent
    live: Live
    checks: Callable[[], tuple[Check, ...]]
    settings: Callable[[], Settings]
    tokens: Callable[[], tuple[TokenState, ...]]
    stores: Callable[[], tuple[StoreRow, ...]]
    last_reload: Callable[[], tuple[bool, float]]  # whether it was successful; when the one in use was loaded


def report(parts: Parts, window: str) -> Status:
    """`window` is one of WINDOWS."""
    now = parts.wall_clock()
    over = parts.recent.window(WINDOWS[window])
    accounts, tokens, stores = _accounts(parts), _tokens(parts), parts.stores()
    checks, lag = parts.checks(), parts.live.loop_lag()
    reload_successful, reloaded_at = parts.last_reload()
    lately = _ends(parts.recent.window(60.0).methods.values())
    findings = chain(
        verdict.of_parts(checks, accounts, tokens, stores, now),
        verdict.of_calls(lately),
        verdict.of_process(loop_lag=lag, reload_successful=reload_successful),
    )
    return Status(
        time=now,
        version=parts.version,
        python=platform.python_version(),
        started_at=parts.started_at,
        uptime_seconds=now - parts.started_at,
        ready=all(check.passed for check in checks if check.required),
        verdict=verdict.verdict(findings),
        now=_now(parts, now, lag),
        traffic=tuple(_traffic(parts.recent.points)),
        window=window,
        window_seconds=over.seconds,
        methods=tuple(_methods(over)),
        failures=tuple(_failed(record) for record in reversed(parts.recent.failures)),
        accounts=accounts,
        tokens=tokens,
        cache=_cache(parts),
        stores=stores,
        reload_successful=reload_successful,
        reloaded_at=reloaded_at,
        configuration=shown(parts.settings()),
    )


def _now(parts: Parts, now: float, lag: float) -> Now:
    points = [point for point in parts.recent.points if point.time > now - NOW]
    whole = _sum(points)
    seconds = sum(point.seconds for point in points)
    calls = whole.calls
    refused = sum(count for end, count in whole.ends.items() if end.turn == "caller")
    return Now(
        calls_per_second=calls / seconds if seconds else 0.0,
        failed_share=(_failed_of(whole) - refused) / calls if calls else None,
        refused_share=refused / calls if calls else None,
        p50_seconds=whole.quantile(0.5),
        p99_seconds=whole.quantile(0.99),
        in_progress=parts.live.requests_in_progress(),
        queued=parts.live.requests_queued(),
        flights_in_progress=parts.live.flights_in_progress(),
        loop_lag_seconds=lag,
    )


def _traffic(points: Iterable[Point]) -> Iterable[TrafficPoint]:
    for _, group in groupby(points, lambda point: point.time // COLUMN):
        some = list(group)
        whole, seconds = _sum(some), sum(point.seconds for point in some) or 1.0
        by_turn: Counter[str] = Counter()
        for end, count in whole.ends.items():
            by_turn[end.turn or "well"] += count
        yield TrafficPoint(
            time=some[-1].time,
            well=by_turn["well"] / seconds,
            caller=by_turn["caller"] / seconds,
            account=by_turn["account"] / seconds,
            platform=by_turn["platform"] / seconds,
            gateway=by_turn["gateway"] / seconds,
            p50_seconds=whole.quantile(0.5),
            p99_seconds=whole.quantile(0.99),
        )


def _methods(over: Window) -> Iterable[MethodRow]:
    for name, tally in sorted(over.methods.items()):
        codes: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        cache: Counter[str | None] = Counter()
        for end, count in tally.ends.items():
            cache[end.cache] += count
            if end.error:
                errors[end.error] += count
            elif end.failed:
                codes[end.code] += count
        given = cache["hit"] + cache["stale"] + cache["collapsed"]
        asked = given + cache["miss"]
        yield MethodRow(
            api_method=name,
            calls=tally.calls,
            calls_per_second=tally.calls / over.seconds if over.seconds else 0.0,
            failed=_failed_of(tally),
            codes=dict(codes.most_common()),
            errors=dict(errors.most_common()),
            hit_ratio=given / asked if asked else None,
            shared=sum(n for end, n in tally.ends.items() if end.origin in ("joined", "replayed")),
            p50_seconds=tally.quantile(0.5),
            p99_seconds=tally.quantile(0.99),
        )


def _failed(record: CallRecord) -> FailedCall:
    return FailedCall(
        time=record.time,
        api_method=record.api_method,
        called=record.called,
        account=record.account,
        caller=record.caller,
        code=record.code,
        status=record.status,
        origin=record.origin,
        turn=turn(own_reason(record.error, record.error_text) or code_label(record.code)),
        error=record.error,
        error_text=record.error_text,
        attempts=record.attempts,
        seconds=record.seconds,
        request_id=record.request_id,
    )


def _accounts(parts: Parts) -> tuple[AccountRow, ...]:
    connections, breakers = parts.live.connections(), parts.live.breakers()
    return tuple(
        AccountRow(
            name=name,
            base_url=account.base_url,
            breaker=breakers.get(name, "closed"),
            active=connections.get((name, "active"), 0),
            idle=connections.get((name, "idle"), 0),
        )
        for name, account in parts.settings().all_accounts().items()
    )


def _tokens(parts: Parts) -> tuple[TokenRow, ...]:
    ages = parts.live.token_ages()
    return tuple(
        TokenRow(
            account=state.account,
            name=state.name,
            source=state.source,
            age_seconds=ages.get((state.account, state.name)),
            problem=state.problem,
            rejected_at=parts.recent.rejections.get((state.account, state.name)),
        )
        for state in parts.tokens()
    )


def _cache(parts: Parts) -> CacheRow:
    figures, settings = parts.live.cache(), parts.settings().cache
    return CacheRow(
        enabled=settings.enabled,
        entries=figures.entries,
        bytes=figures.bytes,
        max_bytes=settings.max_bytes,
        evictions=figures.evictions,
        invalidations=figures.invalidations,
    )


def store_rows(settings: Settings, health: Mapping[str, bool]) -> tuple[StoreRow, ...]:
    """What is remembered where. `health` says of what can fail whether it works."""
    cache, dedup = settings.cache, settings.dedup
    rows = [
        StoreRow(
            name="cache",
            kind=cache.store.value if cache.enabled else "off",
            well=True,
            detail="" if cache.enabled else "reads always ask the platform",
        ),
        StoreRow(
            name="repeats",
            kind=dedup.store.value if dedup.enabled else "off",
            well=True,
            detail=f"up to {write_size(dedup.max_bytes)}" if dedup.enabled else "every call is sent",
        ),
    ]
    details = {"journal": f"{dedup.journal}", "redis": f"keys under {settings.redis.prefix}"}
    rows.extend(
        StoreRow(name=name, kind="shared" if name == "redis" else "file", well=well, detail=details[name])
        for name, well in health.items()
    )
    return tuple(rows)


def _sum(points: Iterable[Point]) -> Tally:
    whole = Tally()
    for point in points:
        whole.add(point.tally)
    return whole


def _ends(tallies: Iterable[Tally]) -> Counter[End]:
    ends: Counter[End] = Counter()
    for tally in tallies:
        ends.update(tally.ends)
    return ends


def _failed_of(tally: Tally) -> int:
    return sum(count for end, count in tally.ends.items() if end.failed)
