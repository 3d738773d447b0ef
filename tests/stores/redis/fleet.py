"""Gateways that share flights, in one process: each with a link, a memory and a driver of its own, in front
of one platform that answers when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.catalogue.model import Replay
from gateway.flights import Flights
from gateway.landing import Landing
from gateway.policy.flight import Arrival, Flight
from gateway.presence import Presence
from gateway.stores.memory_flights import MemoryFlights
from gateway.stores.redis.flights import RedisFlights
from gateway.tasks import TaskOwner
from gateway.upstream.packing import EndPacker, ReplyPacker
from gateway.upstream.sender import Outcome
from tests.stores.backends import Clock
from tests.stores.flight_backends import WINDOWS, memory_of, reply
from tests.stores.redis.links import PATIENCE, Watched, call, linked
from tests.valkey import Server

PREFIX = "fleet:"


@dataclass
class Platform:
    """What was sent, and the answers that are still to come."""

    sent: list[str] = field(default_factory=list)  # the Request-ID of each sending
    ends: "list[asyncio.Future[Outcome]]" = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, flight: Flight) -> Outcome:
        end: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        async with self._arrived:
            self.sent.append(flight.request_id)
            self.ends.append(end)
            self._arrived.notify_all()
        return await end

    async def got(self, number: int) -> None:
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(self.sent) >= number), PATIENCE)

    def answer(self, body: bytes = b'{"error":0}') -> None:
        for end in self.ends:
            if not end.done():
                end.set_result(Outcome(reply=reply(body)))


@dataclass
class Gateway:
    """One of several."""

    name: str
    platform: Platform
    watched: Watched
    store: RedisFlights
    alone: MemoryFlights
    flights: Flights
    _made: int = 0

    async def fly(self, identity: bytes = b"f1", *, keyed: bool = False) -> Landing:
        """A call that waits for its answer and is handed it."""

        async def board() -> Landing:
            deadline = asyncio.get_running_loop().time() + PATIENCE
            arrival = self._arrival(identity, keyed=keyed)
            landing = await self.flights.fly(identity, arrival, self.platform.send, deadline, Presence())
            await self.flights.handed(landing, reached=True)
            return landing

        return await call(board)

    async def remembers(self, identity: bytes = b"f1") -> Flight | None:
        return await call(lambda: self.store.load(identity))

    def _arrival(self, identity: bytes, *, keyed: bool) -> Arrival:
        def new_id() -> str:
            self._made += 1
            return f"{self.name}-{self._made}"

        return Arrival(
            fingerprint=identity,
            keyed=keyed,
            replay=Replay.OWED,
            window=None,
            repeatable=True,
            new_id=new_id,
            token_mark=lambda _: b"",
        )


@asynccontextmanager
async def gateway(
    server: Server, platform: Platform, name: str, *, refuse: bool = False, max_bytes: int = 2**24
) -> AsyncIterator[Gateway]:
    clock, owner, replies = Clock(), TaskOwner(), ReplyPacker(bytes)
    alone = memory_of(clock, max_bytes)
    async with linked(server.url, prefix=PREFIX) as watched:
        ends = EndPacker(replies)
        store = RedisFlights(
            watched.link, alone, max_bytes, WINDOWS, refuse=refuse, answers=replies, ends=ends, now=clock
        )
        flights = Flights(store, owner, WINDOWS, clock)
        try:
            yield Gateway(name, platform, watched, store, alone, flights)
        finally:
            await owner.cancel()
            await store.aclose()


async def until(look: Callable[[], object]) -> None:
    """Of something that no event tells; the test's own time limit is the bound."""
    while not look():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
