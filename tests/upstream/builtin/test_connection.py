"""What a connection does with its loop where a real peer could not be told to be so exact."""

import asyncio
import socket

import httpx
import pytest

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.failures import kind_of
from gateway.upstream.options import TransportOptions

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class SlowLink(asyncio.Transport):
    """A link whose write buffer holds one piece less at each look, `pieces` times; then the peer answers."""

    def __init__(self, sock: socket.socket, pieces: int) -> None:
        super().__init__({"socket": sock})
        self.pieces = pieces
        self.connection: Connection | None = None
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        self.pieces -= 1
        if self.pieces == 0 and self.connection is not None:
            asyncio.get_running_loop().call_soon(self.connection.data_received, OK)
        return max(self.pieces, 0) * 1000

    def abort(self) -> None:
        self.aborted = True


async def test_a_request_that_still_gets_shorter_is_no_silence() -> None:
    """Five times the allowed silence passes without a byte from the peer, which is busy reading."""
    here, there = socket.socketpair()
    with here, there:
        link = SlowLink(here, pieces=5)
        connection = Connection(TransportOptions(), asyncio.get_running_loop(), lambda lost: None)
        connection.connection_made(link)
        link.connection = connection
        await connection.exchange((b"a" * 10_000,), silence=0.01, deadline=float("inf"), streamed=False)
        assert connection.reader.take_body() == b"ok"
        assert not link.aborted


async def test_a_call_is_ended_once_even_if_the_link_breaks_afterwards() -> None:
    here, there = socket.socketpair()
    with here, there:
        link = SlowLink(here, pieces=0)
        lost: list[Connection] = []
        connection = Connection(TransportOptions(), asyncio.get_running_loop(), lost.append)
        connection.connection_made(link)
        with pytest.raises(httpx.ReadTimeout) as caught:
            await connection.exchange((b"a",), silence=0.01, deadline=float("inf"), streamed=False)
        connection.connection_lost(ConnectionResetError("reset"))
        assert kind_of(caught.value) == "timeout"
        assert link.aborted
        assert lost == [connection]
        assert not connection.may_serve_again()
