"""A course of events that a real peer cannot be made to take every time."""

import asyncio
import math
import socket
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.builtin.dialing import Dialer
from gateway.upstream.builtin.route import Route, Terms
from gateway.upstream.failures import kind_of, was_written
from gateway.upstream.options import TransportOptions
from gateway.upstream.stats import PoolStats
from gateway.upstream.wire import Origin

pytestmark = pytest.mark.anyio


class Link(asyncio.Transport):
    """A link that notes what is written to it."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Stillborn(Dialer):
    """Opens connections whose peer has closed them before the caller has its turn."""

    link: Link

    async def dial(self, protocol: Callable[[], Connection], within: float) -> Connection:
        connection = protocol()
        connection.connection_made(self.link)
        connection.eof_received()
        return connection


async def test_nothing_is_written_to_a_connection_that_was_closed_as_soon_as_it_was_open() -> None:
    here, there = socket.socketpair()
    with here, there:
        link = Link(here)
        dialer = Stillborn(Origin(b"http", b"platform.test", None), None, None, link)
        route = Route(TransportOptions(), dialer, asyncio.get_running_loop())
        terms = Terms(True, streamed=False, deadline=math.inf, silence=1, connect=1, patience=1)
        with pytest.raises(httpx.ConnectError) as caught:
            await route.send((b"request",), terms)
        assert (kind_of(caught.value), was_written(caught.value)) == ("connect", False)
        assert link.written == []
        assert route.pool.stats() == PoolStats(opened=1)
