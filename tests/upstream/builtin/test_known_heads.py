"""gateway.upstream.builtin.known_heads: what is taken without a parser is what the parser would read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.builtin.known_heads import LONGEST, MOST, KnownHeads
from gateway.upstream.builtin.reply import ReplyError, ReplyReader
from gateway.upstream.options import TransportOptions
from gateway.upstream.reply_head import ReplyHead

OPTIONS = TransportOptions(reply_bytes=1000)

REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: 5\r\n\r\nhello"
OTHER = REPLY.replace(b"hello", b"other")
EMPTY = b"HTTP/1.1 204 No Content\r\nA: 1\r\n\r\n"
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
LONG = b"HTTP/1.1 200 OK\r\nA: %b\r\nContent-Length: 0\r\n\r\n" % (b"a" * LONGEST)

Read = tuple[bool, bool, int, list[tuple[bytes, bytes]], bytes]


def read(reader: ReplyReader, *pieces: bytes, streamed: bool = False) -> Read:
    reader.expect(streamed=streamed)
    for piece in pieces:
        reader.feed(piece)
    return reader.complete, reader.keep_alive, reader.status, list(reader.headers), reader.take_body()


def known_of(*replies: bytes) -> KnownHeads:
    heads = KnownHeads()
    for reply in replies:
        read(ReplyReader(OPTIONS, heads), reply)
    return heads


@pytest.mark.parametrize("reply", [REPLY, OTHER, EMPTY, UNCHANGED], ids=["one", "other", "none", "304"])
def test_a_reply_whose_head_came_before_is_read_as_without_that(reply: bytes) -> None:
    heads = known_of(REPLY, EMPTY, UNCHANGED)
    assert len(heads) == 3
    reader = ReplyReader(OPTIONS, heads)
    assert read(reader, reply) == read(ReplyReader(OPTIONS), reply)
    assert reader.known is not None


def test_what_the_head_says_is_known_with_it() -> None:
    reader = ReplyReader(OPTIONS, known_of(REPLY))
    read(reader, OTHER)
    assert reader.known is not None
    assert reader.known.said == ReplyHead(b"text/csv", None, False, b"")


@given(
    pieces=st.lists(st.sampled_from([REPLY, OTHER, EMPTY, UNCHANGED, CHUNKED, INTERIM + REPLY]), min_size=1)
)
def test_a_connection_reads_the_same_with_and_without(pieces: list[bytes]) -> None:
    heads = known_of(REPLY, EMPTY)
    with_it, without = ReplyReader(OPTIONS, heads), ReplyReader(OPTIONS)
    for piece in pieces:
        without._heads = KnownHeads()
        assert read(with_it, piece) == read(without, piece)


@given(data=st.data())
def test_a_reply_in_pieces_is_read_all_the_same(data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(REPLY) - 1))
    reader = ReplyReader(OPTIONS, known_of(REPLY))
    assert read(reader, OTHER[:cut], OTHER[cut:]) == read(ReplyReader(OPTIONS), OTHER)
    assert read(reader, REPLY)[-1] == b"hello"


@pytest.mark.parametrize(
    "reply", [INTERIM + REPLY, CHUNKED, CLOSING, LONG], ids=["interim", "chunked", "closing", "long"]
)
def test_what_leaves_the_end_open_is_not_learned(reply: bytes) -> None:
    assert len(known_of(reply)) == 0


def test_bytes_after_a_known_reply_end_the_connections_use() -> None:
    complete, keep_alive, _, _, body = read(ReplyReader(OPTIONS, known_of(REPLY)), REPLY + EMPTY)
    assert (complete, keep_alive, body) == (True, False, b"hello")


def test_a_streamed_reply_teaches_nothing_that_is_larger_than_a_buffered_one_may_be() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"a" * 1001
    heads = KnownHeads()
    assert read(ReplyReader(OPTIONS, heads), large, streamed=True)[0]
    with pytest.raises(ReplyError, match="larger"):
        read(ReplyReader(OPTIONS, heads), large)


def test_heads_are_bounded_and_a_platform_that_never_repeats_one_teaches_little() -> None:
    def unlike(number: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\nId: %d\r\nContent-Length: 0\r\n\r\n" % number

    heads = known_of(*[unlike(number) for number in range(20 * MOST)])
    assert len(heads) <= MOST
    assert heads.find(unlike(20 * MOST - 2)) is None
    read(ReplyReader(OPTIONS, heads), unlike(20 * MOST - 1))
    assert heads.find(unlike(20 * MOST - 1)) is not None, "it is tried again now and then"
    read(ReplyReader(OPTIONS, heads), REPLY)
    assert heads.find(REPLY) is not None
