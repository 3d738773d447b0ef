"""The tokens of all accounts: one keeper for each, made from the settings and kept by a reload where its
source did not change, so that its token needs not be read again and its age and rotations go on.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway.catalogue.model import DEFAULT_TOKEN
from gateway.errors import UNPLACED, Problem, SettingsError, TokenMissingError
from gateway.settings.model import DEFAULT_ACCOUNT, Settings
from gateway.settings.token_source import TokenSource
from gateway.token_places import TokenPlaces
from gateway.tokens.keeper import TokenKeeper, TokenState

Name = tuple[str, str]
"""Account and token."""

Make = Callable[[Name, TokenSource], TokenKeeper]
"""Gives a keeper that has not been started. Raises TokenMissingError for a source that cannot be had."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keepers of one configuration."""

    sources: Mapping[Name, TokenSource]
    keepers: Mapping[Name, TokenKeeper]

    @classmethod
    def of(cls, settings: Settings, make: Make) -> "Keyring":
        """A ring that is still to be started."""
        sources = dict(_sources(settings))
        return cls(sources, {name: make(name, source) for name, source in sources.items()})

    async def start(self) -> None:
        """Read every token, all at once. Raises TokenMissingError for the first that is not there and cannot
        come later."""
        ends = await asyncio.gather(
            *(keeper.start(patient=True) for keeper in self.keepers.values()), return_exceptions=True
        )
        for name, end in zip(self.keepers, ends, strict=True):
            if isinstance(end, TokenMissingError):
                raise TokenMissingError(f"{_key(name)}: {end}") from end
            if end is not None:
                raise end

    async def renewed(self, settings: Settings, make: Make) -> "Keyring":
        """The ring of other settings, started, with this ring's keepers where the source is the same.

        Raises SettingsError with every token that is not there; then nothing new is left running.
        """
        sources = dict(_sources(settings))
        keepers: dict[Name, TokenKeeper] = {}
        problems: list[Problem] = []
        ring = Keyring(sources, keepers)
        try:
            for name, source in sources.items():
                if self.sources.get(name) == source:
                    keepers[name] = self.keepers[name]
                    continue
                try:
                    keepers[name] = make(name, source)
                    # A configuration that works is not given up for one whose token may come or not.
                    await keepers[name].start()
                except TokenMissingError as error:
                    problems.append(Problem(UNPLACED, _key(name), str(error)))
            if problems:
                raise SettingsError(tuple(problems))
        except BaseException:
            await ring.aclose(but=self)
            raise
        return ring

    async def aclose(self, but: "Keyring | None" = None) -> None:
        """End the keepers that the ring `but` does not have. Their tokens stay usable for who took them."""
        kept = set() if but is None else {id(keeper) for keeper in but.keepers.values()}
        for keeper in self.keepers.values():
            if id(keeper) not in kept:
                await keeper.aclose()

    def account(self, account: str) -> dict[str, TokenKeeper]:
        """The account's keepers by token name."""
        return {token: keeper for (owner, token), keeper in self.keepers.items() if owner == account}

    def states(self) -> tuple[TokenState, ...]:
        return tuple(keeper.state for keeper in self.keepers.values())

    def ages(self, now: float) -> dict[Name, float]:
        """Seconds since each token was read; `now` by the keepers' clock."""
        return {
            (state.account, state.name): now - state.loaded_at
            for state in self.states()
            if state.loaded_at is not None
        }


def unavailable(settings: Settings, places: TokenPlaces) -> tuple[Problem, ...]:
    """The sources that cannot be had at all, whatever they hold: what `check` can tell without asking any."""
    problems = []
    for name, source in _sources(settings):
        try:
            places.source(source)
        except TokenMissingError as error:
            problems.append(Problem(UNPLACED, _key(name), str(error)))
    return tuple(problems)


def _sources(settings: Settings) -> Iterator[tuple[Name, TokenSource]]:
    for account, of in settings.all_accounts().items():
        for token, source in {DEFAULT_TOKEN: of.token, **of.tokens}.items():
            yield (account, token), source


def _key(name: Name) -> str:
    """Where the settings describe the token."""
    account, token = name
    key = "token" if token == DEFAULT_TOKEN else f"tokens.{token}"
    return key if account == DEFAULT_ACCOUNT else f"accounts.{account}.{key}"
