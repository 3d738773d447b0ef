"""How long a login at Vault is good for, and what to do about it. Pure: `now` is an argument, in seconds."""

from dataclasses import dataclass, replace
from enum import Enum, auto

from gateway.tokens.secret import Secret

_SHARE = 2 / 3
"""Of its time a lease is left alone; the rest is for trying again, should Vault be away."""


class Step(Enum):
    """What a lease needs."""

    NOTHING = auto()
    RENEWAL = auto()
    LOGIN = auto()  # a new one: this cannot be renewed, or not for much longer


@dataclass(frozen=True, slots=True)
class Lease:
    """One login: Vault's token, and for how long Vault has promised to take it."""

    token: Secret
    began: float
    seconds: float  # 0: without end
    renewable: bool
    full: float = 0.0  # seconds that the login gave; a renewal that gives much less is near Vault's own limit

    def step(self, now: float) -> Step:
        """What it needs now."""
        if not self.seconds or now < self.step_at:
            return Step.NOTHING
        is_over = now >= self.began + self.seconds
        return Step.RENEWAL if self.renewable and not is_over else Step.LOGIN

    @property
    def step_at(self) -> float:
        """When it needs something; infinity for a lease without end."""
        return self.began + self.seconds * _SHARE if self.seconds else float("inf")

    def renewed(self, other: "Lease") -> "Lease":
        """The lease after Vault's answer `other` to a renewal."""
        full = self.full or self.seconds
        return replace(
            other, token=self.token, full=full, renewable=other.renewable and other.seconds >= full / 2
        )
