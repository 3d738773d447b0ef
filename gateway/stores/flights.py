"""Where flights are remembered: the protocol that memory, the journal and Redis keep.

A store is a map from a call's identity to a `Flight` that changes by compare-and-set, so that the rules stay
in `policy.flight` and are the same on every backend. It refuses to know them.
"""

from typing import Protocol

from gateway.errors import GatewayError
from gateway.policy.flight import Ended, Flight, Windows

Identity = bytes
"""Account and key, or account and fingerprint; see `gateway.flights`."""


class StoreFullError(GatewayError):
    """There is no room, and what is there may not go: it runs, or its outcome is unknown."""


class LeaseLostError(GatewayError):
    """The flight is led by another process by now: its end is that one's to say."""


class NearFlights(Protocol):
    """Flights in this process's memory, by plain calls: nothing comes between a `find` and its `put`."""

    def find(self, identity: Identity) -> Flight | None:
        """What is remembered, expired or not."""
        ...

    def put(self, identity: Identity, new: Flight | None) -> None:
        """Have `new` remembered, or nothing. Raises StoreFullError."""
        ...


class FlightStore(Protocol):
    """Promises: what `swap` returned True for is what the next `load` gives, until it expires."""

    @property
    def near(self) -> NearFlights | None:
        """The same store by plain calls, where no method of it ever waits; None where one may."""
        ...

    def resize(self, max_bytes: int, windows: Windows) -> None:
        """Another bound and other times from now on."""
        ...

    async def load(self, identity: Identity, *, guess: bool = False) -> Flight | None:
        """What is remembered, expired or not. A `guess` may be out of date, which a swap finds out."""
        ...

    async def swap(
        self, identity: Identity, old: Flight | None, new: Flight | None, end: Ended | None = None
    ) -> bool:
        """Put `new` where `old` is; False when something else is there by now.

        A flight that goes out is kept safely before this returns. Once begun it is carried out, also when its
        caller is cancelled. With `end`, those who follow it in other processes are told. Raises
        StoreFullError, LeaseLostError, and StoreAwayError where nothing may go out without the store.
        """
        ...

    async def follow(self, identity: Identity, request_id: str) -> Ended | None:
        """Wait for the end of a flight that another process leads. None: nobody leads it any more."""
        ...
