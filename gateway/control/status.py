"""What the status page shows, as values: the content of `/-/status.json` (docs/reference/status.md).

States, numbers and names; never a token, a parameter or a body.
"""

from typing import Any, Literal

import msgspec

from gateway.observe.blame import Turn

Level = Literal["well", "warning", "critical"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be, or worth knowing."""

    level: Level
    turn: Turn
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Is it well, and if not, whose turn is it?"""

    level: Level
    headline: str
    findings: tuple[Finding, ...]


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The last ten seconds, and what is so at the moment. Times in seconds."""

    calls_per_second: float
    failed_share: float | None  # of the calls, but for what is the caller's turn; None without calls
    refused_share: float | None  # of the calls: what is the caller's turn
    p50_seconds: float | None
    p99_seconds: float | None
    in_progress: int
    queued: int
    flights_in_progress: int
    loop_lag_seconds: float


class TrafficPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A few seconds of traffic, in calls per second."""

    time: float  # of its end, seconds since the epoch
    well: float
    caller: float
    account: float
    platform: float
    gateway: float
    p50_seconds: float | None
    p99_seconds: float | None


class MethodRow(msgspec.Struct, frozen=True, kw_only=True):
    """One method over the window that was asked for."""

    api_method: str
    calls: int
    calls_per_second: float
    failed: int
    codes: dict[str, int]  # of the platform, without 0
    errors: dict[str, int]  # the gateway's own reasons
    hit_ratio: float | None  # None where the cache was not asked
    shared: int  # answers of an identical call: joined or replayed
    p50_seconds: float | None
    p99_seconds: float | None


class FailedCall(msgspec.Struct, frozen=True, kw_only=True):
    """One of the calls that failed last."""

    time: float
    api_method: str
    called: str
    account: str
    caller: str
    code: int | None
    status: int
    origin: str
    turn: Turn
    error: str
    error_text: str
    attempts: int
    seconds: float
    request_id: str


class AccountRow(msgspec.Struct, frozen=True, kw_only=True):
    """The way to one platform."""

    name: str
    base_url: str
    breaker: str
    active: int  # connections
    idle: int


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A token by its name."""

    account: str
    name: str
    source: str
    age_seconds: float | None  # None while there is none
    problem: str
    rejected_at: float | None  # seconds since the epoch


class CacheRow(msgspec.Struct, frozen=True, kw_only=True):
    """How full the cache is."""

    enabled: bool
    entries: int
    bytes: int
    max_bytes: int
    evictions: int
    invalidations: int


class StoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered where."""

    name: str
    kind: str
    well: bool
    detail: str


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole page."""

    time: float
    version: str
    python: str
    started_at: float
    uptime_seconds: float
    ready: bool
    verdict: Verdict
    now: Now
    traffic: tuple[TrafficPoint, ...]
    window: str
    window_seconds: float
    methods: tuple[MethodRow, ...]
    failures: tuple[FailedCall, ...]  # the latest first
    accounts: tuple[AccountRow, ...]
    tokens: tuple[TokenRow, ...]
    cache: CacheRow
    stores: tuple[StoreRow, ...]
    reload_successful: bool
    reloaded_at: float
    configuration: dict[str, Any]
