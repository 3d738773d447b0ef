"""A flight as Redis keeps it: with the gateway that leads it, and how many callers wait at which."""

from contextlib import suppress

import msgspec

from gateway.policy.flight import Flight, State, bereaved

Holders = dict[str, int]
"""Callers that wait, or are being handed the answer, by the term of their gateway (see `link`)."""


class Record(msgspec.Struct, frozen=True, array_like=True):
    """All but the answer, which has a place of its own: most changes do not touch it."""

    flight: Flight
    lead: str
    holders: Holders


class Seen:
    """What this process saw last of a flight in Redis. `stamp` is that state's; empty: it is not there."""

    __slots__ = ("doubted", "flight", "holders", "lead", "stamp")

    def __init__(self, flight: Flight, stamp: bytes, lead: str, holders: Holders) -> None:
        self.flight = flight
        self.stamp = stamp
        self.lead = lead
        self.holders = holders
        self.doubted = False  # somebody else has changed it since

    def without(self, gone: set[str]) -> None:
        """The gateways of these terms are dead: what their callers wait for is owed to them."""
        leaderless = self.lead in gone and self.flight.state is State.IN_FLIGHT
        lost = sum(self.holders.pop(term, 0) for term in gone)
        if leaderless:
            self.lead, self.holders = "", {}
        if leaderless or lost:
            self.flight = bereaved(self.flight, lost, leaderless=leaderless)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Record)


def pack(record: Record) -> bytes:
    bare = msgspec.structs.replace(record.flight, answer=None)
    return _ENCODER.encode(msgspec.structs.replace(record, flight=bare))


def unpack(data: bytes, answer: object | None) -> Record:
    """Raises msgspec.DecodeError."""
    record = _DECODER.decode(data)
    if answer is None:
        return record
    return msgspec.structs.replace(record, flight=msgspec.structs.replace(record.flight, answer=answer))


def leader_of(data: bytes) -> str:
    """Which gateway leads a packed flight; "" where that cannot be read."""
    with suppress(msgspec.DecodeError):
        return _DECODER.decode(data).lead
    return ""


def leads(old: Flight | None, new: Flight) -> bool:
    """Whether a call goes out by this change."""
    return new.state is State.IN_FLIGHT and (old is None or old.state is not State.IN_FLIGHT)


def lands(old: Flight | None, new: Flight | None) -> bool:
    """Whether the flight ends by this change."""
    is_out = old is not None and old.state is State.IN_FLIGHT
    return is_out and (new is None or new.state is not State.IN_FLIGHT)
