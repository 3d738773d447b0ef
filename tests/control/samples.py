"""A status to show, made in one line and changed where a test wants it."""

from typing import Any

import msgspec

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
    Verdict,
)
from gateway.settings.model import Settings
from gateway.settings.shown import shown


def method(name: str, calls: int = 10, **changes: Any) -> MethodRow:
    row = MethodRow(
        api_method=name,
        calls=calls,
        calls_per_second=calls / 300,
        failed=0,
        codes={},
        errors={},
        hit_ratio=None,
        shared=0,
        p50_seconds=0.012,
        p99_seconds=0.09,
    )
    return msgspec.structs.replace(row, **changes)


def failure(**changes: Any) -> FailedCall:
    row = FailedCall(
        time=1763928000.0,
        api_method="profiles/get",
        called="profiles/get",
        account="default",
        caller="crm",
        code=404,
        status=200,
        origin="upstream",
        turn="caller",
        error="",
        error_text="",
        attempts=1,
        seconds=0.012,
        request_id="0192f0c1",
    )
    return msgspec.structs.replace(row, **changes)


def point(time: float, **changes: Any) -> TrafficPoint:
    row = TrafficPoint(
        time=time,
        well=2.0,
        caller=0.0,
        account=0.0,
        platform=0.0,
        gateway=0.0,
        p50_seconds=0.01,
        p99_seconds=0.1,
    )
    return msgspec.structs.replace(row, **changes)


def token(**changes: Any) -> TokenRow:
    row = TokenRow(
        account="default", name="default", source="env TOKEN", age_seconds=61.0, problem="", rejected_at=None
    )
    return msgspec.structs.replace(row, **changes)


def account(**changes: Any) -> AccountRow:
    row = AccountRow(
        name="default", base_url="https://example.com/api/v1.1", breaker="closed", active=1, idle=2
    )
    return msgspec.structs.replace(row, **changes)


def status(**changes: Any) -> Status:
    row = Status(
        time=1763928100.0,
        version="1.2.3",
        python="3.11.7",
        started_at=1763920000.0,
        uptime_seconds=8100.0,
        ready=True,
        verdict=Verdict(level="well", headline="All is well", findings=()),
        now=Now(
            calls_per_second=12.5,
            failed_share=0.0,
            refused_share=0.1,
            p50_seconds=0.012,
            p99_seconds=0.09,
            in_progress=3,
            queued=0,
            flights_in_progress=1,
            loop_lag_seconds=0.001,
        ),
        traffic=(point(1763928092.0), point(1763928096.0)),
        window="5m",
        window_seconds=300.0,
        methods=(method("profiles/get"), method("profiles/import", 5)),
        failures=(failure(),),
        accounts=(account(),),
        tokens=(token(),),
        cache=CacheRow(enabled=True, entries=3, bytes=2048, max_bytes=65536, evictions=0, invalidations=1),
        stores=(StoreRow(name="cache", kind="memory", well=True, detail=""),),
        reload_successful=True,
        reloaded_at=1763920000.0,
        configuration=shown(Settings()),
    )
    return msgspec.structs.replace(row, **changes)
