"""The whole of config.yaml as one frozen value, in the order of the file."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pydantic import Field

from gateway.settings import sections
from gateway.settings.methods import MethodRule
from gateway.settings.names import BaseUrl, HostName, MethodName, Name, Table
from gateway.settings.section import Section
from gateway.settings.token_source import TokenSource
from gateway.settings.upstream import Upstream

DEFAULT_ACCOUNT = "default"
"""The account that the top level of the settings describes."""


class TokenPlacement(StrEnum):
    """Where the platform looks for the token."""

    BODY = "body"
    HEADER = "header"
    QUERY = "query"


def _no_entries() -> Mapping[str, Any]:
    return MappingProxyType({})


class Account(Section):
    """An address of the platform and the tokens valid there; callers reach it under /accounts/<name>."""

    base_url: BaseUrl = Field(description="The address of the platform for this account.")
    token: TokenSource = Field(description="Where the account's token comes from.")
    token_placement: TokenPlacement = Field(
        default=TokenPlacement.BODY, description="Where the platform looks for it."
    )
    tokens: Table[Name, TokenSource] = Field(
        default_factory=_no_entries, description="Further tokens by name, for rules of methods."
    )


class Settings(Section):
    """The settings of the gateway."""

    listen: sections.Listen = sections.Listen()
    allowed_hosts: tuple[HostName, ...] = Field(
        default=("localhost", "127.0.0.1", "::1"),
        description="Names by which the gateway may be called, without a port.",
    )
    upstream: Upstream = Upstream()
    token: TokenSource = Field(
        default=TokenSource(env="PLATFORM_TOKEN"), description="Where the token comes from."
    )
    tokens: Table[Name, TokenSource] = Field(
        default_factory=_no_entries, description="Further tokens by name, for rules of methods."
    )
    token_placement: TokenPlacement = Field(
        default=TokenPlacement.BODY, description="Where the platform looks for it."
    )
    limits: sections.Limits = sections.Limits()
    cache: sections.Cache = sections.Cache()
    dedup: sections.Dedup = sections.Dedup()
    redis: sections.Redis = sections.Redis()
    replies: sections.Replies = sections.Replies()
    methods: Table[MethodName, MethodRule] = Field(
        default_factory=_no_entries, description="Rules for single methods, over the catalogue's."
    )
    method_policy: sections.MethodPolicy = sections.MethodPolicy()
    accounts: Table[Name, Account] = Field(
        default_factory=_no_entries,
        description="Further accounts by name; the top level is the account `default`.",
    )
    drain: sections.Drain = sections.Drain()
    log: sections.Log = sections.Log()
    tracing: sections.Tracing = sections.Tracing()
    callers: sections.Callers = sections.Callers()

    @property
    def uses_redis(self) -> bool:
        """Whether anything is kept there: replies, flights, or the turns of `upstream.rate`."""
        has_turns = self.upstream.rate is not None and self.redis.url is not None
        return has_turns or sections.Store.REDIS in (self.cache.store, self.dedup.store)

    def method_changes(self) -> dict[str, dict[str, object]]:
        """What the rules of methods change, as `catalogue.overriding` takes it."""
        return {name: rule.changes() for name, rule in self.methods.items()}

    def all_accounts(self) -> dict[str, Account]:
        """Every account by name, the top level's own first."""
        top = Account(
            base_url=self.upstream.base_url,
            token=self.token,
            token_placement=self.token_placement,
            tokens=self.tokens,
        )
        return {DEFAULT_ACCOUNT: top, **self.accounts}
