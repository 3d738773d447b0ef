"""What the gateway knows of a platform method. Values only: `loading` makes them, nobody changes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from gateway.catalogue.shape import OBJECT, Shape
from gateway.catalogue.template import EVERYTHING

OTHER = "other"
"""The label of every method that the catalogue does not know: label values must come from a closed set."""


DEFAULT_TOKEN = "default"  # noqa: S105 - a name, not a token
"""The name of the token that an account's own `token:` describes."""

WITHOUT = "none"
"""In the place of a token's name: the method takes none of the account's tokens."""


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})  # by a factory: before Python 3.12 a dataclass takes it for a mutable default


class Effect(StrEnum):
    """What a call does to the platform's state."""

    READ = "read"
    MODIFY = "modify"
    TASK = "task"  # starts a background task: modifies, and goes on modifying after its answer

    def __init__(self, value: str) -> None:
        self.modifies = value != "read"


class Replay(StrEnum):
    """When the answer of an earlier identical call without a key is given again."""

    OWED = "owed"  # when the first caller was not handed it
    ALWAYS = "always"  # to every repeat within the window
    NEVER = "never"  # identical calls are joined in flight only


class Repeats(StrEnum):
    """Which `Request-ID` a modifying call without a key of its own gets."""

    FLIGHT = "flight"  # a new one for each flight
    CONTENT = "content"  # one derived from the fingerprint: a repeat hours later is still the same call


@dataclass(frozen=True, slots=True)
class ApiMethod:
    """One method of the platform, and how the gateway treats it. Times in seconds."""

    name: str  # as the platform's documentation spells it, without slashes around it
    effect: Effect
    summary: str = ""
    source: str = ""  # the documentation page that the entry was taken from
    path: str = ""  # how it is written on the wire, when the documentation writes a trailing slash
    parameters: Shape = OBJECT
    reply: Shape = OBJECT
    item_results: str | None = None  # the reply's field with one {error, error_text} per item
    tags: tuple[str, ...] = ()  # what a read depends on, as templates: "db:{db_id}"
    invalidates: tuple[str, ...] = ()  # what a write changes, likewise
    ttl: float | None = None  # None: the setting cache.default_ttl
    stale_while_revalidate: float | None = None
    stale_if_error: float | None = None
    negative_ttl: Mapping[int, float] = field(default_factory=_nothing)
    coalesce: bool = True
    replay: Replay = Replay.OWED
    window: float | None = None  # None: the setting dedup.window
    repeats: Repeats = Repeats.FLIGHT
    token: str | None = None  # a named token of the account, or WITHOUT; None is the default token
    allowed: bool = True
    known: bool = True  # False for a method that no catalogue entry describes
    # What follows, worked out once since each call asks several times:
    label: str = field(init=False)  # the value of the metric label `api_method`
    carries_token: bool = field(init=False)  # not so some methods that bring one of their own kind
    token_name: str = field(init=False)  # of the account's token that goes in; "" for none

    def __post_init__(self) -> None:
        carries_token = self.token != WITHOUT
        object.__setattr__(self, "label", self.name if self.known else OTHER)
        object.__setattr__(self, "carries_token", carries_token)
        object.__setattr__(self, "token_name", (self.token or DEFAULT_TOKEN) if carries_token else "")

    @property
    def family(self) -> str:
        """The first segment of the name, as in `profiles/get`."""
        return self.name.partition("/")[0]


def unknown_method(name: str) -> ApiMethod:
    """A method the catalogue does not know: it may change anything, since that is the careful reading."""
    return ApiMethod(name=name, effect=Effect.MODIFY, invalidates=(EVERYTHING,), known=False)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known methods by name, and the named shapes that method rules may use as well."""

    methods: Mapping[str, ApiMethod]
    shapes: Mapping[str, Shape] = field(default_factory=_nothing)

    def __iter__(self) -> Iterator[ApiMethod]:
        return iter(self.methods.values())

    def __len__(self) -> int:
        return len(self.methods)

    def find(self, name: str) -> ApiMethod | None:
        """The method of exactly that name: case counts, and no slash stands at its ends or twice in a row."""
        return self.methods.get(name)
