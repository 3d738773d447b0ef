"""The reader of replies, fed by hand: what it takes, what it refuses, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.builtin.reply import ReplyError, ReplyReader
from gateway.upstream.options import TransportOptions

OPTIONS = TransportOptions(header_bytes=1000, headers=10, reply_bytes=1000)

LENGTH = b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n"
)
NO_BODY = b"HTTP/1.1 204 No Content\r\nA: 1\r\n\r\n"


def reader(*, streamed: bool = False) -> ReplyReader:
    made = ReplyReader(OPTIONS)
    made.expect(streamed=streamed)
    return made


@pytest.mark.parametrize(
    ("reply", "status", "headers", "body"),
    [
        (LENGTH, 200, [(b"A", b"1"), (b"Content-Length", b"5")], b"hello"),
        (CHUNKED, 201, [(b"Transfer-Encoding", b"chunked")], b"hello"),
        (NO_BODY, 204, [(b"A", b"1")], b""),
    ],
    ids=["length", "chunked", "no body"],
)
@given(data=st.data())
def test_a_reply_is_the_same_however_it_is_cut_up(
    reply: bytes, status: int, headers: list[tuple[bytes, bytes]], body: bytes, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, len(reply) - 1))))
    read = reader()
    for begin, end in zip([0, *cuts], [*cuts, len(reply)], strict=True):
        assert not read.complete
        read.feed(reply[begin:end])
    assert (read.complete, read.keep_alive) == (True, True)
    assert (read.status, read.headers, read.take_body()) == (status, headers, body)


def test_one_reader_reads_one_reply_after_another() -> None:
    read = reader()
    for reply, status in [(LENGTH, 200), (CHUNKED, 201), (NO_BODY, 204), (LENGTH, 200)]:
        read.expect(streamed=False)
        read.feed(reply)
        assert (read.complete, read.keep_alive, read.status) == (True, True, status)


def test_the_body_can_be_taken_as_it_comes() -> None:
    read = reader(streamed=True)
    read.feed(LENGTH[:-3])
    assert (read.head_complete, read.complete, read.held) == (True, False, 2)
    assert (read.take_body(), read.held) == (b"he", 0)
    read.feed(LENGTH[-3:])
    assert (read.complete, read.take_body()) == (True, b"llo")


def feed_all(read: ReplyReader, pieces: list[bytes]) -> None:
    for piece in pieces:
        read.feed(piece)


REFUSED = {
    "a head over its limit": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 1000,
    "an ended head over its limit": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 1000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 11 + b"\r\n",
    "interim replies without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
    "a body over its limit": b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"a" * 1001,
    "too many trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: 1\r\n" * 20,
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a coding after chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "two codings": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n",
    "no length after its name": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\r\n",
    "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    "a space in a chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\n",
    "no chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "a version that does not exist": b"HTTP/1.2 200 OK\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused_as_soon_as_it_has_arrived(data: bytes) -> None:
    with pytest.raises(ReplyError):
        reader().feed(data)


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_refused_byte_by_byte_too(data: bytes) -> None:
    with pytest.raises(ReplyError):
        feed_all(reader(), [bytes([byte]) for byte in data])


def test_trailers_in_many_pieces_are_bounded_too() -> None:
    read = reader()
    read.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: ")
    with pytest.raises(ReplyError, match="trailers"):
        feed_all(read, [b"a" * 100] * 20)


def test_a_body_that_came_with_the_head_does_not_count_as_head() -> None:
    read = ReplyReader(TransportOptions(header_bytes=100, reply_bytes=10_000))
    read.expect(streamed=False)
    read.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000)
    assert (read.complete, read.take_body()) == (True, b"a" * 5000)


def test_a_streamed_body_has_no_limit() -> None:
    read = reader(streamed=True)
    read.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000)
    assert read.complete


def test_what_a_refusal_says_holds_nothing_that_the_peer_sent() -> None:
    with pytest.raises(ReplyError) as caught:
        reader().feed(b"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n")
    assert "secret" not in str(caught.value)


SURPLUS = {"another reply": NO_BODY, "the beginning of one": b"HTTP", "garbage": b"\x00"}


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS.keys())
def test_bytes_after_a_reply_leave_it_and_end_the_connections_use(surplus: bytes) -> None:
    read = reader()
    read.feed(LENGTH + surplus)
    assert (read.complete, read.keep_alive, read.take_body()) == (True, False, b"hello")
    assert read.status == 200


def test_the_end_of_the_connection_ends_a_reply_without_framing() -> None:
    read = reader()
    read.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    read.feed(b"lo")
    assert not read.complete
    read.end()
    assert (read.complete, read.keep_alive, read.take_body()) == (True, False, b"hello")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "without a reply"),
        (LENGTH[:10], "inside its reply"),
        (LENGTH[:-1], "inside its reply"),
        (CHUNKED[:-2], "inside its reply"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "inside its reply"),
    ],
    ids=["nothing", "head", "body", "trailers", "interim"],
)
def test_the_end_of_the_connection_inside_a_reply_is_an_error(data: bytes, words: str) -> None:
    read = reader()
    if data:
        read.feed(data)
    with pytest.raises(ReplyError, match=words):
        read.end()


def test_the_end_of_the_connection_after_a_reply_changes_nothing() -> None:
    read = reader()
    read.feed(LENGTH)
    read.end()
    assert read.take_body() == b"hello"
