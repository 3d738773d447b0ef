"""What must agree between settings that are right each for itself."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.catalogue.model import WITHOUT, Catalogue
from gateway.catalogue.overriding import MethodRulesError, override
from gateway.settings.model import Settings
from gateway.settings.sections import Store
from gateway.settings.structure import KeyPath, dotted
from gateway.settings.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two settings that do not go together; the operator is told at `path`."""

    path: KeyPath
    other: KeyPath
    text: str


def conflicts(settings: Settings, catalogue: Catalogue) -> Iterator[Conflict]:
    """Everything that does not agree, among the settings and with the shipped catalogue."""
    yield from _upstream(settings.upstream)
    yield from _hidden_downloads(settings)
    yield from _stores_without_redis(settings)
    yield from _journal_beside_redis(settings)
    yield from _unknown_tokens(settings)
    yield from _refused_rules(settings, catalogue)


def _upstream(upstream: Upstream) -> Iterator[Conflict]:
    cert, key = ("upstream", "tls", "client_cert"), ("upstream", "tls", "client_key")
    if upstream.tls.client_cert is None and upstream.tls.client_key is not None:
        yield Conflict(key, cert, "needs upstream.tls.client_cert, which is not set")
    if upstream.tls.client_key is None and upstream.tls.client_cert is not None:
        yield Conflict(cert, key, "needs upstream.tls.client_key, which is not set")
    if upstream.retries.max_backoff < upstream.retries.backoff:
        path = ("upstream", "retries")
        yield Conflict((*path, "max_backoff"), (*path, "backoff"), "should not be less than backoff")


def _hidden_downloads(settings: Settings) -> Iterator[Conflict]:
    """What is asked for under an account's base path is a call."""
    path, downloads = ("upstream", "download_path"), f"{settings.upstream.download_path}/"
    for account in settings.all_accounts().values():
        base = urlsplit(account.base_url).path
        if downloads.startswith(f"{base}/"):
            text = f"lies under {base or '/'}, the path of calls: no download could be fetched"
            yield Conflict(path, ("upstream", "base_url"), text)


def _stores_without_redis(settings: Settings) -> Iterator[Conflict]:
    for name, store in (("cache", settings.cache.store), ("dedup", settings.dedup.store)):
        if store is Store.REDIS and settings.redis.url is None:
            yield Conflict((name, "store"), ("redis", "url"), "needs redis.url, which is not set")


def _journal_beside_redis(settings: Settings) -> Iterator[Conflict]:
    if settings.dedup.store is Store.REDIS and settings.dedup.journal is not None:
        text = "goes with dedup.store: memory only; Redis outlives the process by itself"
        yield Conflict(("dedup", "journal"), ("dedup", "store"), text)


def _unknown_tokens(settings: Settings) -> Iterator[Conflict]:
    """A rule's token has to exist in every account: the main one instead could do more than was meant."""
    owners: dict[KeyPath, Collection[str]] = {("tokens",): settings.tokens}
    for name, account in settings.accounts.items():
        owners["accounts", name, "tokens"] = account.tokens
    for method, rule in settings.methods.items():
        for path, names in owners.items():
            if rule.token not in {None, WITHOUT, *names}:
                text = f"names a token that {dotted(path)} does not have"
                yield Conflict(("methods", method, "token"), path, text)


def _refused_rules(settings: Settings, catalogue: Catalogue) -> Iterator[Conflict]:
    try:
        override(catalogue, settings.method_changes())
    except MethodRulesError as error:
        for fault in error.faults:
            path = ("methods", fault.method, fault.key) if fault.key else ("methods", fault.method)
            yield Conflict(path, path, fault.text)
