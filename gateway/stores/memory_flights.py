"""Flights in this process's memory, bounded in bytes.

What runs or is unknown is never given up for room, since forgetting it could run a call twice: when nothing
else is left to give up, new flights are refused. Given up are the answers first, the oldest first; the ids of
keyed flights stay and are told apart from unknown ones by their missing answer.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import islice

import msgspec

from gateway.policy.flight import IN_FLIGHT, UNKNOWN, Ended, Flight, Windows, expires_at
from gateway.stores.flights import Identity, StoreFullError

OVERHEAD = 600
"""Bytes that a flight takes beside its answer: the objects, the dictionaries' places. Measured, rounded
up."""


class MemoryFlights:
    """The default store. For one event loop; `now` is wall-clock seconds."""

    def __init__(
        self, max_bytes: int, windows: Windows, now: Callable[[], float], answer_size: Callable[[object], int]
    ) -> None:
        self._max_bytes = max_bytes
        self._windows = windows
        self._now = now
        self._answer_size = answer_size
        self._flights: dict[Identity, Flight] = {}
        # What may go, each in the order in which it came: the oldest goes first.
        self._unknown: _Queue = OrderedDict()
        self._with_answer: _Queue = OrderedDict()
        self._without_answer: _Queue = OrderedDict()
        self._queues = (self._unknown, self._with_answer, self._without_answer)
        self._changed: Callable[[Identity, Flight | None], None] | None = None
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._flights)

    def __repr__(self) -> str:
        return f"<MemoryFlights {len(self)} flights, {self.bytes} of {self._max_bytes} bytes>"

    @property
    def near(self) -> "MemoryFlights":
        return self

    def find(self, identity: Identity) -> Flight | None:
        return self._flights.get(identity)

    def put(self, identity: Identity, new: Flight | None) -> None:
        if new is None:
            self._forget(identity)
            return
        if new.state is IN_FLIGHT:
            self._forget_what_is_over()
        old = self._flights.get(identity)
        growth = OVERHEAD if old is None else 0
        if new.answer is not None:
            growth += self._answer_size(new.answer)
        if old is not None and old.answer is not None:
            growth -= self._answer_size(old.answer)
        if growth > 0 and self.bytes + growth > self._max_bytes and not self._make_room(growth, identity):
            if new.state is IN_FLIGHT:
                raise StoreFullError("no room for another flight")
            new = msgspec.structs.replace(new, answer=None)
            growth = OVERHEAD - (0 if old is None else self._size(old))
        self._replace(identity, old, new, growth)

    async def load(self, identity: Identity, *, guess: bool = False) -> Flight | None:
        return self._flights.get(identity)

    async def swap(
        self, identity: Identity, old: Flight | None, new: Flight | None, end: Ended | None = None
    ) -> bool:
        if self._flights.get(identity) is not old:
            return False
        self.put(identity, new)
        return True

    async def follow(self, identity: Identity, request_id: str) -> Ended | None:
        """Nobody else leads what is remembered here."""
        return None

    def watch(self, changed: Callable[[Identity, Flight | None], None]) -> None:
        """Tell `changed` of every change from now on, also of what goes for room or because it is over."""
        self._changed = changed

    def flights(self) -> dict[Identity, Flight]:
        """All that is remembered now."""
        return self._flights.copy()

    def restore(self, flights: Mapping[Identity, Flight]) -> None:
        """Take up what an earlier process remembered, but for what is over and what is known better here.

        What is unknown is taken up beyond the bound too: forgetting it could run a call twice.
        """
        now = self._now()
        for identity, flight in sorted(flights.items(), key=_by_end):
            if identity not in self._flights and now < expires_at(flight, self._windows):
                self._replace(identity, None, flight, self._size(flight))
        self._make_room(0, b"")

    def resize(self, max_bytes: int, windows: Windows) -> None:
        self._max_bytes = max_bytes
        self._windows = windows
        self._make_room(0, b"")

    def recount(self) -> int:
        """The bytes counted anew."""
        return sum(map(self._size, self._flights.values()))

    def _replace(self, identity: Identity, old: Flight | None, new: Flight, growth: int) -> None:
        """`growth`: of the bytes."""
        flights = self._flights
        if old is not None:
            del flights[identity]  # with its key: the queue's is to be the same object
            if old.state is not IN_FLIGHT:
                del self._queue(old)[identity]
        flights[identity] = new
        self.bytes += growth
        if new.state is not IN_FLIGHT:
            self._queue(new)[identity] = None
        if self._changed is not None:
            self._changed(identity, new)

    def _forget(self, identity: Identity) -> None:
        old = self._flights.pop(identity, None)
        if old is None:
            return
        if old.state is not IN_FLIGHT:
            del self._queue(old)[identity]
        self.bytes -= OVERHEAD if old.answer is None else self._size(old)
        if self._changed is not None:
            self._changed(identity, None)

    def _queue(self, flight: Flight) -> "_Queue":
        """Where a flight that is not out waits for its end."""
        if flight.state is UNKNOWN:
            return self._unknown
        return self._without_answer if flight.answer is None else self._with_answer

    def _forget_what_is_over(self) -> None:
        """Forget the two oldest of each queue if their time is over. Called for every flight that goes out,
        it keeps up with them."""
        for queue in self._queues:
            if queue:
                now = self._now()
                for identity in list(islice(queue, 2)):
                    if now >= expires_at(self._flights[identity], self._windows):
                        self._forget(identity)

    def _make_room(self, needed: int, but: Identity) -> bool:
        """Give up answers, then answered flights, until `needed` bytes are free; False when that is not
        enough."""
        while self.bytes + needed > self._max_bytes:
            identity = _oldest(self._with_answer, but)
            if identity is not None:
                old = self._flights[identity]
                new = msgspec.structs.replace(old, answer=None)
                self._replace(identity, old, new, self._size(new) - self._size(old))
                continue
            identity = _oldest(self._without_answer, but)
            if identity is None:
                return False
            self._forget(identity)
        return True

    def _size(self, flight: Flight) -> int:
        return OVERHEAD if flight.answer is None else OVERHEAD + self._answer_size(flight.answer)


_Queue = OrderedDict[Identity, None]


def _oldest(queue: _Queue, but: Identity) -> Identity | None:
    return next((identity for identity in islice(queue, 2) if identity != but), None)


def _by_end(item: tuple[Identity, Flight]) -> float:
    return item[1].ended
