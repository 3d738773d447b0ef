"""Who may call: tokens with a name, rights (the platform gives them by roles) and object groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Flag, auto


class Right(Flag):
    """What a role allows. The platform names a separate right for deleting profiles and one for running
    campaigns (user guide, "Users, groups, access"); the rest of this division is the sandbox's own.
    """

    READ = auto()
    MODIFY = auto()
    DELETE_PROFILES = auto()
    RUN = auto()  # send messages: start triggers, broadcasts, scenarios
    WIPE = auto()
    LOYALTY = auto()
    ADMIN = auto()  # the admin API has tokens of its own
    FULL = READ | MODIFY | DELETE_PROFILES | RUN | WIPE | LOYALTY | ADMIN


@dataclass(frozen=True, slots=True)
class Token:
    """`groups`: the object groups that the token can see; None is all of them."""

    name: str
    value: str
    rights: Right = Right.FULL
    groups: frozenset[int] | None = None

    def __repr__(self) -> str:
        return f"Token({self.name!r}, rights={self.rights!r}, groups={self.groups!r})"

    def sees(self, group: int) -> bool:
        return self.groups is None or group in self.groups


DEFAULT_TOKEN = "sandbox"  # noqa: S105  it opens a loopback stand-in without data, and the docs print it
CENTRAL_GROUP = 1
PARTNER_GROUP = 2


def sample_tokens(*values: str) -> tuple[Token, ...]:
    """Full rights for each of `values` (the default token if none), and two limited tokens to be refused
    with.

    `sandbox-reader` may only read; `sandbox-partner` may do all, but sees only the objects of group 2.
    """
    full = (
        Token(f"full-{number}", value) for number, value in enumerate(values or (DEFAULT_TOKEN,), start=1)
    )
    return (
        *full,
        Token("reader", f"{DEFAULT_TOKEN}-reader", Right.READ),
        Token("partner", f"{DEFAULT_TOKEN}-partner", groups=frozenset({PARTNER_GROUP})),
    )


class TokenBook:
    """The tokens by value; `add` and `revoke` are what a rotation does on the platform's side."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._by_value = {token.value: token for token in tokens}

    def find(self, value: str) -> Token | None:
        return self._by_value.get(value)

    def add(self, token: Token) -> None:
        self._by_value[token.value] = token

    def revoke(self, value: str) -> None:
        self._by_value.pop(value, None)
