"""Where flights are remembered: the protocol that memory, the journal and Redis keep.

A store is a map from a call's identity to a `Flight` that changes by compare-and-set, so that the rules stay
in `policy.flight` and are the same on every backend. It refuses to know them.
"""

from typing import Protocol

from gateway.errors import GatewayError
from gateway.policy.flight import Flight, Windows

Identity = bytes
"""Account and key, or account and fingerprint; see `gateway.flights`."""


class StoreFullError(GatewayError):
    """There is no room, and what is there may not go: it runs, or its outcome is unknown."""


class FlightStore(Protocol):
    """Promises: what `swap` returned True for is what the next `load` gives, until it expires."""

    def resize(self, max_bytes: int, windows: Windows) -> None:
        """Another bound and other times from now on."""
        ...

    async def load(self, identity: Identity) -> Flight | None:
        """What is remembered, expired or not."""
        ...

    async def swap(self, identity: Identity, old: Flight | None, new: Flight | None) -> bool:
        """Put `new` where `old` is; False when something else is there by now.

        A flight that goes out is kept safely before this returns. Once begun it is carried out, also when its
        caller is cancelled. Raises StoreFullError.
        """
        ...
