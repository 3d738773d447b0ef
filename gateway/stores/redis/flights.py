"""Flights in Redis, so that a repeat is one wherever it comes in. The rules stay in `policy.flight`.

A flight goes from one state to the next by compare-and-set on the stamp of the state that was seen. Beside it
stands who leads it and at which gateways its callers wait: of one that is dead (it stopped beating), the
flight is nobody's and is led again under its id, and what its callers waited for is owed.

What this gateway leads it also keeps in memory: while Redis is away it goes on with that, and when Redis is
back, or has forgotten, it is told.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import msgspec

from gateway.errors import StoreAwayError
from gateway.policy.flight import DAY, Ended, Flight, State, Windows, bereaved, expires_at
from gateway.stores.flights import Identity, LeaseLostError, StoreFullError
from gateway.stores.journal_file import Packer
from gateway.stores.memory_flights import MemoryFlights
from gateway.stores.patience import start_anew
from gateway.stores.redis import record as records
from gateway.stores.redis.link import LEASE, Link, Refused
from gateway.stores.redis.record import Holders, Record, Seen
from gateway.stores.redis.scripts import SWAP

SHARE = 64
"""No answer takes more than one part in so many of `dedup.max_bytes` in Redis."""
RECHECK = 1.0
"""Seconds after which who waits looks for itself: a wake-up may get lost."""
MISSING = 5
"""Looks after which a flight that is not there any more is given up: Redis may have forgotten it, and is told
again by who leads it."""
END_KEPT = 120_000
"""Milliseconds that the end of a flight is kept for those who wait elsewhere."""
PASSING = 64
"""Flights that are known beside those that this gateway leads or waits for: a load's swap comes at once."""


class RedisFlights:
    """A FlightStore. `alone` is what this gateway has of its own; `now` is wall-clock seconds."""

    near = None

    def __init__(
        self,
        link: Link,
        alone: MemoryFlights,
        max_bytes: int,
        windows: Windows,
        *,
        refuse: bool,
        answers: Packer,
        ends: Packer,
        now: Callable[[], float],
    ) -> None:
        self._link = link
        self._alone = alone
        self._max_bytes = max_bytes
        self._windows = windows
        self._refuse = refuse
        self._answers = answers
        self._ends = ends
        self._now = now
        self._origin = os.urandom(6)
        self._numbers = count(1)
        self._seen: dict[Identity, Seen] = {}
        self._passing: deque[Identity] = deque()
        self._untold: set[Identity] = set()  # changed while Redis was away, or forgotten there
        self._telling: asyncio.Task[None] | None = None
        self._waiting: dict[bytes, asyncio.Event] = {}  # by Request-ID, for the end of flights led elsewhere
        link.on_word = self._woken
        link.on_fall.append(self._wake_all)
        link.on_return.append(self._tell_all)

    @property
    def known(self) -> int:
        """Flights whose last state is kept at hand."""
        return len(self._seen)

    @property
    def followed(self) -> int:
        """Flights of other gateways whose end is waited for."""
        return len(self._waiting)

    def resize(self, max_bytes: int, windows: Windows) -> None:
        self._max_bytes, self._windows = max_bytes, windows
        self._alone.resize(max_bytes, windows)

    async def aclose(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def load(self, identity: Identity, *, guess: bool = False) -> Flight | None:
        seen = self._seen.get(identity)
        if guess:
            if seen is not None and self._holds(seen) and not self._is_doubtful(seen):
                return seen.flight
            if seen is None and await self._alone.load(identity) is None:
                return None
        try:
            if identity in self._untold:
                await self._tell(identity)
            return await self._load(identity)
        except (StoreAwayError, Refused):
            return await self._load_alone(identity)

    async def swap(
        self, identity: Identity, old: Flight | None, new: Flight | None, end: Ended | None = None
    ) -> bool:
        seen = self._seen.get(identity)
        if not self._link.may_be_asked:
            self._link.missed("swap")
            return await self._swap_alone(identity, old, new)
        if (None if seen is None else seen.flight) is not old:
            return False
        if seen is not None and records.lands(old, new) and not self._link.is_mine(seen.lead):
            raise LeaseLostError("another gateway leads the flight now")
        try:
            return await self._swap(identity, seen, new, end)
        except (StoreAwayError, Refused):
            return await self._swap_alone(identity, old, new)

    async def follow(self, identity: Identity, request_id: str) -> Ended | None:
        start_anew()
        word = request_id.encode()
        woken = self._waiting.setdefault(word, asyncio.Event())
        missing = 0
        try:
            while missing < MISSING and self._link.is_up:
                start_anew()
                said = await self._link.ask("follow", b"GET", self._link.keys.end(request_id))
                if said is not None:
                    end = self._ends.unpack(said)
                    assert isinstance(end, Ended)
                    return end
                flight = await self._load(identity)
                if flight is None or flight.request_id != request_id:
                    missing += 1
                elif flight.state is State.ANSWERED and flight.answer is not None:
                    return Ended(flight.answer)
                elif flight.state is not State.IN_FLIGHT:
                    return None
                await _wait(woken)
        except (StoreAwayError, Refused):
            return None
        except msgspec.DecodeError:
            return Ended(None)
        finally:
            self._waiting.pop(word, None)
        return Ended(None) if missing else None

    # With Redis.

    async def _load(self, identity: Identity) -> Flight | None:
        stamp, header, answer = await self._link.ask(
            "load", b"HMGET", self._link.keys.flight(identity), b"s", b"h", b"a"
        )
        seen = self._seen.get(identity)
        if stamp is None:
            return await self._missing(identity, seen)
        if seen is None or seen.stamp != stamp:
            try:
                record = records.unpack(header, None if answer is None else self._answers.unpack(answer))
            except msgspec.DecodeError:
                record = None  # nobody's: other formats have other names
            if record is None:
                await self._link.ask("load", b"DEL", self._link.keys.flight(identity))
                return await self._missing(identity, seen)
            seen = Seen(record.flight, stamp, record.lead, record.holders)
        seen.doubted = False
        seen.without(await self._dead({seen.lead, *seen.holders}))
        self._note(identity, seen)
        return seen.flight

    async def _missing(self, identity: Identity, seen: Seen | None) -> Flight | None:
        """Nothing is there. What this gateway leads, or waits for, cannot have ended: it was forgotten. What
        it led before may have ended elsewhere, unless Redis has forgotten this gateway too."""
        is_held = seen is not None and self._holds(seen)
        if is_held or await self._alone.load(identity) is not None:
            [lives] = await self._link.ask("load", b"MGET", self._link.keys.alive(self._link.term))
            if lives is None:
                self._link.fall("it has forgotten everything")
                raise StoreAwayError("load")
        if seen is None or not is_held:
            self._seen.pop(identity, None)
            await self._remember(identity, None)
            return None
        seen.stamp, seen.doubted = b"", False
        return await self._inherited(identity, seen)

    async def _inherited(self, identity: Identity, seen: Seen) -> Flight:
        """The flight, which is this gateway's own now: whoever led it cannot be heard of."""
        if not self._link.is_mine(seen.lead):
            seen.without({seen.lead})
            await self._remember(identity, seen.flight)
        return seen.flight

    async def _dead(self, terms: set[str]) -> set[str]:
        """Those that stopped beating. After an outage everybody gets the time to begin again."""
        others = [term for term in terms if term and not self._link.is_mine(term)]
        if not others or asyncio.get_running_loop().time() - self._link.recovered_at < LEASE:
            return set()
        beats = await self._link.ask("load", b"MGET", *[self._link.keys.alive(term) for term in others])
        return {term for term, beat in zip(others, beats, strict=True) if beat is None}

    async def _swap(
        self, identity: Identity, seen: Seen | None, new: Flight | None, end: Ended | None
    ) -> bool:
        old = None if seen is None else seen.flight
        was, lead, holders = b"" if seen is None else seen.stamp, *self._next(seen, new)
        elsewhere = [term for term in holders if not self._link.is_mine(term)]
        if seen is not None and new is None:
            elsewhere = [term for term in seen.holders if not self._link.is_mine(term)]
        answer = b"" if new is None or new.answer is None else b"="
        if answer and new is not None and (old is None or new.answer is not old.answer or not was):
            answer = self._answers.pack(new.answer)
            if len(answer) > self._max_bytes // SHARE:
                answer, end = b"", None
                lost = sum(holders.pop(term) for term in elsewhere)
                new = bereaved(msgspec.structs.replace(new, answer=None), lost, leaderless=False)
        told = b"" if end is None or (was and not elsewhere) else self._ends.pack(end)
        stamp = b"" if new is None else self._stamp()
        request_id = old.request_id if old is not None else ""
        done = await self._link.script(
            "swap",
            SWAP,
            [self._link.keys.flight(identity), self._link.keys.end(request_id)],
            was,
            stamp,
            b"" if new is None else records.pack(Record(new, lead, holders)),
            answer,
            0 if new is None else self._ttl(new),
            told,
            END_KEPT,
            request_id.encode(),
            *[self._link.keys.channel(term) for term in elsewhere],
        )
        if not done:
            if seen is not None:
                seen.doubted = True
            return False
        await self._learn(identity, None if new is None else Seen(new, stamp, lead, holders))
        return True

    async def _learn(self, identity: Identity, seen: Seen | None) -> None:
        if seen is None:
            self._seen.pop(identity, None)
        else:
            self._note(identity, seen)
        is_led = seen is not None and self._link.is_mine(seen.lead)
        await self._remember(identity, seen.flight if seen is not None and is_led else None)

    def _next(self, seen: Seen | None, new: Flight | None) -> tuple[str, Holders]:
        """Who leads the flight and who waits for it after the change."""
        me = self._link.term
        if new is None:
            return "", {}
        old = None if seen is None else seen.flight
        is_another = old is None or old.request_id != new.request_id
        lead = me if is_another or records.leads(old, new) else self._led_by(seen)
        if new.state is State.UNKNOWN:
            return lead, {}
        before: Holders = {} if seen is None or is_another else seen.holders
        mine = sum(number for term, number in before.items() if self._link.is_mine(term))
        mine += new.pending - (0 if is_another or old is None else old.pending)
        others = {term: number for term, number in before.items() if not self._link.is_mine(term)}
        return lead, {**others, me: mine} if mine > 0 else others

    def _led_by(self, seen: Seen | None) -> str:
        lead = "" if seen is None else seen.lead
        return self._link.term if self._link.is_mine(lead) else lead

    def _holds(self, seen: Seen) -> bool:
        """Whether this gateway leads the flight or has callers that wait for it."""
        if self._link.is_mine(seen.lead) and seen.flight.state is State.IN_FLIGHT:
            return True
        return any(self._link.is_mine(term) for term, number in seen.holders.items() if number)

    def _is_doubtful(self, seen: Seen) -> bool:
        """Whether it may have changed. Without Redis nobody is told of the end of a flight led elsewhere."""
        return seen.doubted or not (self._link.is_up or self._link.is_mine(seen.lead))

    def _note(self, identity: Identity, seen: Seen) -> None:
        self._seen[identity] = seen
        if self._holds(seen):
            return
        self._passing.append(identity)
        if len(self._passing) > PASSING:
            gone = self._passing.popleft()
            if gone in self._seen and not self._holds(self._seen[gone]):
                del self._seen[gone]

    def _stamp(self) -> bytes:
        return self._origin + next(self._numbers).to_bytes(8, "big")

    def _ttl(self, flight: Flight) -> int:
        """Milliseconds; an id outlives the lease of the gateway that leads it."""
        if flight.state is State.IN_FLIGHT:
            over = flight.began + min(self._windows.unknown, DAY)
        else:
            over = expires_at(flight, self._windows)
        return max(1000, int((over - self._now()) * 1000))

    # Without.

    async def _load_alone(self, identity: Identity) -> Flight | None:
        seen = self._seen.get(identity)
        if seen is None or not self._holds(seen):
            return await self._alone.load(identity)
        return await self._inherited(identity, seen)

    async def _swap_alone(self, identity: Identity, old: Flight | None, new: Flight | None) -> bool:
        """Raises StoreAwayError where nothing is to be sent without Redis."""
        if self._refuse and new is not None and records.leads(old, new):
            raise StoreAwayError("swap")
        seen, mine = self._seen.get(identity), await self._alone.load(identity)
        known = mine if seen is None or not self._holds(seen) else seen.flight
        if known is not old:
            return False
        if not await self._alone.swap(identity, mine, new):
            return False
        lead, holders = self._next(seen if old is not None else None, new)
        if new is None:
            self._seen.pop(identity, None)
        else:
            kept = await self._alone.load(identity) or new
            self._note(identity, Seen(kept, b"" if seen is None else seen.stamp, lead, holders))
        self._untold.add(identity)
        if self._link.is_up:
            self._tell_soon()
        return True

    async def _remember(self, identity: Identity, flight: Flight | None) -> None:
        try:
            await self._alone.swap(identity, await self._alone.load(identity), flight)
        except StoreFullError:
            await self._alone.swap(identity, await self._alone.load(identity), None)

    # Back again.

    def _tell_all(self) -> None:
        self._untold |= self._alone.flights().keys()
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._untold and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell_each(), name="tell Redis")

    async def _tell_each(self) -> None:
        while self._untold and self._link.is_up:
            for identity in tuple(self._untold):
                start_anew()
                try:
                    await self._tell(identity)
                except StoreAwayError:
                    return  # begun again when it is back
                except Refused:
                    break  # no memory: in a while
            if self._untold:
                await asyncio.sleep(RECHECK)

    async def _tell(self, identity: Identity) -> None:
        """Make Redis know what this gateway knows of its own flight. What another one leads now is let be."""
        key = self._link.keys.flight(identity)
        stamp, header = await self._link.ask("swap", b"HMGET", key, b"s", b"h")
        mine, seen = await self._alone.load(identity), self._seen.get(identity)
        if stamp is not None and not self._link.is_mine(records.leader_of(header)):
            self._untold.discard(identity)
            return
        if mine is None:
            if stamp is not None:
                await self._link.ask("swap", b"DEL", key)
        elif seen is None or seen.flight is mine:
            holders: Holders = {} if seen is None else seen.holders
            now_known = Seen(mine, stamp or b"", self._link.term, dict(holders))
            self._note(identity, now_known)
            if not await self._swap(identity, now_known, mine, None):
                return
        self._untold.discard(identity)

    def _woken(self, word: bytes) -> None:
        if word in self._waiting:
            self._waiting[word].set()

    def _wake_all(self) -> None:
        for woken in self._waiting.values():
            woken.set()


async def _wait(woken: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(RECHECK):
            await woken.wait()
        woken.clear()
