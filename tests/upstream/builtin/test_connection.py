"""What a connection does with its loop where a real peer could not be told to be so exact."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from gateway.upstream.builtin.connection import Connection
from gateway.upstream.failures import kind_of, was_written
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
        await connection.exchange(
            (b"a" * 10_000,), silence=0.01, deadline=float("inf"), streamed=False, looks=False
        )
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
            await connection.exchange(
                (b"a",), silence=0.01, deadline=float("inf"), streamed=False, looks=False
            )
        connection.connection_lost(ConnectionResetError("reset"))
        assert kind_of(caught.value) == "timeout"
        assert link.aborted
        assert lost == [connection]
        assert not connection.may_serve_again()


class NotingLink(SlowLink):
    """A link that notes what is written to it, and answers at once."""

    def __init__(self, sock: socket.socket, written: list[str], name: str) -> None:
        super().__init__(sock, pieces=0)
        self.written = written
        self.name = name

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert self.connection is not None
        self.written.append(self.name)
        self.connection.data_received(OK)


async def test_requests_of_one_turn_of_the_loop_go_out_one_behind_the_other() -> None:
    """However much each call has to do before its request is ready."""
    seen: list[str] = []

    async def call(name: str) -> None:
        here, there = socket.socketpair()
        with here, there:
            link = NotingLink(here, seen, f"{name} out")
            link.connection = connection(link)
            seen.append(name)
            await link.connection.exchange(
                (b"a",), silence=1, deadline=float("inf"), streamed=False, looks=True
            )

    await asyncio.gather(call("a"), call("b"), call("c"))
    assert seen == ["a", "b", "c", "a out", "b out", "c out"]


async def test_a_request_is_not_written_to_a_peer_that_has_ended_the_connection() -> None:
    """The kernel knows of it, the loop does not yet."""
    here, there = socket.socketpair()
    with here:
        written: list[str] = []
        link = NotingLink(here, written, "out")
        link.connection = connection(link)
        there.close()
        with pytest.raises(httpx.ConnectError) as caught:
            await link.connection.exchange(
                (b"a",), silence=1, deadline=float("inf"), streamed=False, looks=True
            )
        assert not was_written(caught.value)
        assert written == []
        assert link.aborted


@pytest.mark.parametrize("end", ["bytes nobody asked for", "lost", "end of file"])
async def test_what_ends_a_connection_before_the_request_is_out_leaves_nothing_written(end: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        written: list[str] = []
        link = NotingLink(here, written, "out")
        link.connection = connection(link)
        calling = asyncio.ensure_future(
            link.connection.exchange((b"a",), silence=1, deadline=float("inf"), streamed=False, looks=True)
        )
        ends: dict[str, Callable[[], object]] = {
            "bytes nobody asked for": partial(link.connection.data_received, OK),
            "lost": partial(link.connection.connection_lost, None),
            "end of file": link.connection.eof_received,
        }
        await asyncio.sleep(0)  # the request is ready, and goes out in the next turn
        ends[end]()
        with pytest.raises(httpx.ConnectError) as caught:
            await calling
        assert not was_written(caught.value)
        assert written == []


def connection(link: SlowLink) -> Connection:
    made = Connection(TransportOptions(), asyncio.get_running_loop(), lambda lost: None)
    made.connection_made(link)
    return made
