"""What a gateway says of itself when it starts, to whoever sits in front of it: what listens where, whose
platform is behind it with which token, and what it remembers. Names sources, never a token.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from gateway import __version__
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.settings.sections import Store
from gateway.settings.token_source import TokenSource
from gateway.settings.units import write_size
from gateway.terminal import Paint, Terminal

_NOTHING: Mapping[str, bool] = MappingProxyType({})

Row = tuple[str, str]
"""A word, and what is to be said of it; without a word it belongs to the row above."""


def introduction(
    settings: Settings,
    address: str,
    configuration: str,
    terminal: Terminal,
    health: Mapping[str, bool] = _NOTHING,
) -> str:
    """`address` is the listener's, `configuration` says where the settings come from, `health` of what can
    fail whether it works."""
    title = terminal.paint(f"gateway {__version__}", Paint.BOLD)
    rows = [
        *_places(settings, address),
        *_accounts(settings),
        *(("", text) if number else ("stores", text) for number, text in enumerate(stores(settings, health))),
        ("settings", configuration),
    ]
    return f"\n  {title}\n\n{table(rows, terminal)}"


def table(rows: Iterable[Row], terminal: Terminal) -> str:
    """The rows under one another, each on a line of its own."""
    return "".join(f"  {terminal.paint(f'{word:13}', Paint.DIM)} {text}\n" for word, text in rows)


def accounts(settings: Settings) -> list[str]:
    """Each account and its platform."""
    return [f"{name} {account.base_url}" for name, account in settings.all_accounts().items()]


def stores(settings: Settings, health: Mapping[str, bool] = _NOTHING) -> list[str]:
    """What is remembered, where, and up to how much; and what of it cannot be used now, by `health`."""
    cache, dedup = settings.cache, settings.dedup
    journal = f", journal {dedup.journal}{_state('journal', health)}" if dedup.journal is not None else ""
    return [
        f"cache {_kept(cache.enabled, cache.store, cache.max_bytes, health)}",
        f"repeats {_kept(dedup.enabled, dedup.store, dedup.max_bytes, health)}{journal}",
    ]


def _kept(enabled: bool, store: Store, size: int, health: Mapping[str, bool]) -> str:
    if not enabled:
        return "off"
    if store is Store.REDIS:
        return f"{store.value}{_state('redis', health)}"
    return f"{store.value} up to {write_size(size)}"


def _state(store: str, health: Mapping[str, bool]) -> str:
    return "" if health.get(store, True) else " (cannot be used now)"


def _places(settings: Settings, address: str) -> Iterator[Row]:
    yield "listens on", f"{address}"
    path = urlsplit(settings.upstream.base_url).path.rstrip("/")
    if address.startswith("unix:"):
        yield "calls to", f"{path}/<method>"
        return
    yield "calls to", f"{address}{path}/<method>"
    yield "status page", f"{address}/-/"


def _accounts(settings: Settings) -> Iterator[Row]:
    for name, account in settings.all_accounts().items():
        where = "" if name == DEFAULT_ACCOUNT else f", under /accounts/{name}"
        yield "account", f"{name}: {account.base_url}, token from {_source(account.token)}{where}"


def _source(source: TokenSource) -> str:
    if source.vault is not None:
        return f"vault {source.vault.mount}/{source.vault.path}"
    return f"env {source.env}" if source.env is not None else f"file {source.file}"
