"""The section `upstream`: where the platform is and how it is spoken to."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway.settings.names import BaseUrl, FilePath, HeaderName, UrlPath
from gateway.settings.section import Section
from gateway.settings.units import Duration, Period, Rate

Count = Annotated[int, Field(ge=1)]
"""At least one."""


class Transport(StrEnum):
    """Who carries the calls."""

    BUILTIN = "builtin"
    HTTPX = "httpx"


class Format(StrEnum):
    """The two formats of the platform."""

    JSON = "json"
    XML = "xml"


class Compression(StrEnum):
    """How replies are asked for."""

    IDENTITY = "identity"
    GZIP = "gzip"


class Timeouts(Section):
    """How long a call may take, and its steps."""

    connect: Period = Field(default=3.0, description="Until a connection is open, TLS included.")
    first_byte: Period = Field(
        default=30.0, description="Until the reply's first byte, and the longest silence in it."
    )
    total: Period = Field(
        default=60.0, description="The deadline of a call with all its waiting and attempts."
    )


class Retries(Section):
    """When a call is sent again. Calls that modify are, only where the platform cannot run them twice."""

    attempts: Count = Field(
        default=3, description="How often a call is sent at most, the first time included; 1: never again."
    )
    backoff: Period = Field(
        default=0.1, description="The longest pause before the second attempt; doubles each time."
    )
    max_backoff: Period = Field(default=2.0, description="What the longest pause grows to.")
    budget: float = Field(
        default=0.1, ge=0, le=1, description="Attempts beyond the first, as a share of all calls."
    )


class Breaker(Section):
    """When calls are no longer tried, because the platform cannot be reached."""

    failure_ratio: float = Field(
        default=0.5, gt=0, le=1, description="Opens at this share of transport failures."
    )
    min_calls: Count = Field(default=20, description="Calls in the window before the share means anything.")
    window: Period = Field(default=10.0, description="The time over which calls are counted.")
    open_for: Period = Field(default=5.0, description="How long it stays open before one call probes.")


class Tls(Section):
    """Certificates on both sides."""

    verify: bool = Field(
        default=True, description="Whether the platform's certificate is checked. Never false in service."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Authorities to trust instead of the system's, as PEM."
    )
    client_cert: FilePath | None = Field(
        default=None, description="The gateway's own certificate, as PEM; needs client_key."
    )
    client_key: FilePath | None = Field(
        default=None, description="The key that belongs to client_cert, as PEM."
    )


class Upstream(Section):
    """The platform."""

    base_url: BaseUrl = Field(
        default="https://example.com/api/v1.1",
        description="The platform's address. Its path is also the path callers use.",
    )
    transport: Transport = Field(
        default=Transport.BUILTIN,
        description="httpx: its own pool, to compare with; ten times the CPU.",
    )
    format: Format = Field(default=Format.JSON, description="How the platform is spoken to.")
    compression: Compression = Field(
        default=Compression.IDENTITY,
        description="How replies are asked for; gzip saves traffic and costs CPU. "
        "Calls are never compressed.",
    )
    request_id_header: HeaderName | None = Field(
        default="Request-ID",
        description="The header by which the platform knows a repeat. "
        "null: it knows none, and a modifying call that was sent is never sent again.",
    )
    download_path: UrlPath = Field(
        default="/api/download", description="Finished exports are fetched under this path."
    )
    max_connections: Count = Field(
        default=100, description="Connections to one account's platform, and its calls running at once."
    )
    keepalive: Duration = Field(
        default=15.0,
        description="How long an idle connection is kept; should be shorter than the platform's own time.",
    )
    rate: Rate | None = Field(
        default=None,
        description="Requests to the platform for each account; where redis.url is set, of all gateways "
        "together. A call waits for its turn as long as for a free place. null: as many as come.",
    )
    timeouts: Timeouts = Timeouts()
    retries: Retries = Retries()
    breaker: Breaker = Breaker()
    tls: Tls = Tls()
