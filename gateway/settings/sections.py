"""The smaller sections of the settings, in the order of config.yaml."""

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from gateway.settings.names import CallerName, FilePath, HeaderName, HostName, MethodPattern, RedisUrl
from gateway.settings.section import Section
from gateway.settings.spelling import refusal
from gateway.settings.units import Duration, Period, Size, Space, Window
from gateway.settings.upstream import Count


class Listen(Section):
    """Where the gateway listens: an address and port, or a Unix socket."""

    alternatives: ClassVar[tuple[frozenset[str], ...]] = (frozenset({"host", "port"}), frozenset({"uds"}))

    host: HostName = Field(default="127.0.0.1", description="Address or host name to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    uds: FilePath | None = Field(
        default=None, description="Unix socket to listen on, instead of host and port."
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.uds is not None and self.model_fields_set & {"host", "port"}:
            raise refusal("needs either uds, or host and port")
        return self


class Limits(Section):
    """What a single call, or all of them together, may take. Header limits hold for replies too."""

    body_bytes: Space = Field(default=10 * 1024**2, description="A call's body.")
    xml_bytes: Space = Field(
        default=10 * 1024**2, description="A call's body in XML, which costs more to read."
    )
    bodies_bytes: Space = Field(
        default=256 * 1024**2,
        description="The bodies over 64 KiB of all calls together; the next one waits for `queue_timeout`.",
    )
    reply_bytes: Space = Field(default=64 * 1024**2, description="A reply's body, after inflating.")
    # Reading recurses, in C for JSON and in Python for XML.
    depth: Annotated[int, Field(ge=1, le=200)] = Field(
        default=64, description="How deep a body may be nested."
    )
    elements: Count = Field(default=2_000_000, description="Values in one body.")
    header_bytes: Space = Field(default=32 * 1024, description="All header fields together.")
    headers: Count = Field(default=100, description="Number of header fields.")
    connections: Count = Field(default=2000, description="Connections from callers. Not taken by a reload.")
    max_in_flight: Count = Field(
        default=200,
        description="Calls of one account running at once; "
        "never more than upstream.max_connections, whatever is said here.",
    )
    max_queued: int = Field(
        default=1000, ge=0, description="Calls of one account that wait for a free place; the next gets 503."
    )
    queue_timeout: Duration = Field(
        default=5.0, description="How long a call waits for a free place before it gets 503."
    )
    head_timeout: Period = Field(
        default=10.0, description="How long a caller may take to send the head of a call."
    )
    body_timeout: Period = Field(
        default=30.0, description="How long a caller may take to send the body of a call."
    )


class Store(StrEnum):
    """Where things are remembered."""

    MEMORY = "memory"
    REDIS = "redis"


class Cache(Section):
    """Answers of reads."""

    enabled: bool = Field(default=True, description="Whether answers are kept at all.")
    store: Store = Field(
        default=Store.MEMORY, description="Where they are kept; redis shares them between gateways."
    )
    max_bytes: Size = Field(
        default=64 * 1024**2, description="Memory for them; the least recently used go first."
    )
    default_ttl: Duration = Field(
        default=0.0, description="How long an answer is fresh where no method's rule says it."
    )
    stale_while_revalidate: Duration = Field(
        default=0.0, description="After that, how long it is still given while a new one is fetched."
    )
    stale_if_error: Duration = Field(
        default=300.0, description="After that, how long it is given when the platform fails."
    )
    settle: Duration = Field(
        default=60.0,
        description="How long nothing is kept after a task started or an outcome stayed unknown.",
    )


class OnStoreFailure(StrEnum):
    """What becomes of modifying calls while the store is away."""

    PROCEED = "proceed"
    REFUSE = "refuse"


class Dedup(Section):
    """Repeats of modifying calls."""

    enabled: bool = Field(default=True, description="Whether repeats are recognised.")
    store: Store = Field(
        default=Store.MEMORY, description="Where calls are remembered; redis shares them between gateways."
    )
    window: Window = Field(
        default=300.0, description="How long an answer that was not handed over is kept for the repeat."
    )
    key_window: Window = Field(
        default=23 * 3600.0, description="How long a caller's own Request-ID is known."
    )
    unknown_window: Window = Field(
        default=23 * 3600.0, description="How long a call with unknown outcome is known."
    )
    max_bytes: Size = Field(default=64 * 1024**2, description="Memory for kept answers.")
    journal: FilePath | None = Field(
        default=None,
        description="SQLite file that lets this hold across a crash; null: none. Not taken by a reload.",
    )
    on_store_failure: OnStoreFailure = Field(
        default=OnStoreFailure.PROCEED, description="What becomes of modifying calls while Redis is away."
    )


class Redis(Section):
    """The store that several gateways share: Redis or Valkey."""

    url: RedisUrl | None = Field(
        default=None,
        repr=False,
        description="Its address, such as redis://host:6379/0; null: none. Not taken by a reload.",
    )
    timeout: Period = Field(
        default=0.2, description="How long a call may wait for it before it goes on without."
    )
    prefix: str = Field(default="gateway:", description="In front of every key.")


class DefaultFormat(StrEnum):
    """The format of an answer when the caller did not ask for one."""

    JSON = "json"
    AS_REQUEST = "as_request"


class Replies(Section):
    """What callers get."""

    default_format: DefaultFormat = Field(
        default=DefaultFormat.JSON, description="The format when neither URL, body nor Accept ask for one."
    )


class UnknownMethod(StrEnum):
    """What becomes of methods that the catalogue does not know."""

    FORWARD = "forward"
    REJECT = "reject"


class MethodPolicy(Section):
    """Which methods may be called at all."""

    unknown: UnknownMethod = Field(
        default=UnknownMethod.FORWARD,
        description="forward: sent as a modifying call; reject: answered with 501.",
    )
    deny: tuple[MethodPattern, ...] = Field(default=(), description="Methods that are answered with 403.")


class Drain(Section):
    """How the gateway stops."""

    delay: Duration = Field(
        default=0.0, description="How long it goes on accepting calls after it said it is not ready."
    )
    timeout: Duration = Field(default=30.0, description="How long running calls may take to end.")


class LogLevel(StrEnum):
    """How much is said beside the calls."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line looks."""

    JSON = "json"
    TEXT = "text"


class LoggedCalls(StrEnum):
    """Which calls get a line."""

    ALL = "all"
    ERRORS = "errors"
    NONE = "none"


class Log(Section):
    """What is written to the standard output."""

    level: LogLevel = Field(default=LogLevel.INFO, description="How much is said beside the calls.")
    format: LogFormat = Field(
        default=LogFormat.JSON, description="One JSON object per line, or text for people."
    )
    calls: LoggedCalls = Field(default=LoggedCalls.ALL, description="Which calls get a line.")
    sample: float = Field(
        default=1.0, ge=0, le=1, description="Of the calls that went well, the share that gets a line."
    )
    slow: Period | None = Field(
        default=10.0,
        description="A call that took this long always gets a line, as a warning; null: none is slow.",
    )


class Tracing(Section):
    """Spans by OpenTelemetry."""

    enabled: bool = Field(
        default=False, description="Whether spans are sent; where to is said by the usual OTEL_ variables."
    )


class Callers(Section):
    """Who is told apart in the metrics."""

    header: HeaderName = Field(
        default="Gateway-Caller", description="The header in which a caller says its name."
    )
    known: tuple[CallerName, ...] = Field(
        default=(), description="Names that get a series of their own; others are `other`."
    )
