"""gateway.exchange: one call on its connection, here without one; tests/e2e/test_listener.py has sockets."""

import asyncio

import pytest

from gateway import errors
from gateway.exchange import CONTINUE, HIGH_WATER, CallerGone, Exchange
from gateway.head import Head
from tests.builders import Unconnected

pytestmark = pytest.mark.anyio


def exchange(link: Unconnected, method: str = "POST", *, asks_first: bool = False) -> Exchange:
    return Exchange(
        link, Head(method, b"/api/x", b"", "1.1", {}, keep_alive=True, length=None, asks_first=asks_first)
    )


async def test_a_body_that_is_there_is_not_waited_for() -> None:
    one = exchange(Unconnected())
    one.feed(b"ab")
    one.feed(b"cd")
    one.end()
    with pytest.raises(StopIteration) as ended:
        one.body(4).send(None)
    assert ended.value.value == b"abcd"


async def test_a_body_that_comes_in_pieces_is_one_body() -> None:
    one = exchange(Unconnected())
    reading = asyncio.ensure_future(one.body(4))
    for piece in (b"a", b"", b"bcd"):
        await asyncio.sleep(0)
        one.feed(piece)
    one.end()
    assert await reading == b"abcd"


@pytest.mark.parametrize("early", [True, False], ids=["before it is asked for", "while it is waited for"])
async def test_a_body_over_the_limit_is_refused_and_not_kept(early: bool) -> None:
    one = exchange(Unconnected())
    if early:
        one.feed(b"12345")
    reading = asyncio.ensure_future(one.body(4))
    await asyncio.sleep(0)
    if not early:
        one.feed(b"123")
        one.feed(b"45")
    with pytest.raises(errors.CallError) as refused:
        await reading
    assert refused.value.kind is errors.BODY_TOO_LARGE


async def test_nothing_is_read_ahead_of_the_limit_beyond_what_any_body_may_be() -> None:
    link = Unconnected()
    one = exchange(link)
    one.feed(b"x" * HIGH_WATER)
    assert link.asked == []
    one.feed(b"x")
    assert link.asked == ["pause"]
    one.end()
    await one.body(2 * HIGH_WATER)
    assert link.asked == ["pause", "resume"]


async def test_who_asks_before_it_sends_is_told_to_when_the_body_is_wanted() -> None:
    link = Unconnected()
    one = exchange(link, asks_first=True)
    assert link.written == []
    reading = asyncio.ensure_future(one.body(4))
    await asyncio.sleep(0)
    assert link.written == [CONTINUE]
    one.feed(b"ab")
    one.end()
    assert await reading == b"ab"
    assert one.answer(200, b"", b"") is True
    assert one.keep_alive


async def test_who_asks_before_it_sends_and_is_refused_has_no_second_request_there() -> None:
    link = Unconnected()
    one = exchange(link, asks_first=True)
    one.answer(413, b"", b"{}")
    assert link.written == [
        b"HTTP/1.1 413 Request Entity Too Large\r\ndate: today\r\n"
        b"content-length: 2\r\nconnection: close\r\n\r\n{}"
    ]


async def test_an_answer_is_one_write() -> None:
    link = Unconnected()
    one = exchange(link)
    one.end()
    assert one.answer(200, b"a: b\r\n", b"{}") is True
    assert link.written == [b"HTTP/1.1 200 OK\r\ndate: today\r\na: b\r\ncontent-length: 2\r\n\r\n{}"]
    assert link.asked == ["answered"]


async def test_a_head_is_answered_with_a_head() -> None:
    link = Unconnected()
    one = exchange(link, "HEAD")
    one.end()
    one.answer(405, b"", b"{}")
    assert link.written == [b"HTTP/1.1 405 Method Not Allowed\r\ndate: today\r\ncontent-length: 2\r\n\r\n"]


@pytest.mark.parametrize("how", ["left", "closing"])
async def test_who_is_gone_did_not_get_the_answer(how: str) -> None:
    link = Unconnected()
    one = exchange(link)
    one.end()
    if how == "left":
        one.leave()
    link.closing = how == "closing"
    assert one.answer(200, b"", b"{}") is False
    assert (link.written, one.presence.is_gone) == ([], how == "left")


async def test_a_caller_that_leaves_within_its_body_has_no_call() -> None:
    one = exchange(Unconnected())
    reading = asyncio.ensure_future(one.body(4))
    await asyncio.sleep(0)
    one.leave()
    with pytest.raises(CallerGone):
        await reading


async def test_what_the_connection_finds_wrong_ends_the_call() -> None:
    one = exchange(Unconnected())
    one.fail(errors.CallError(errors.BODY_TIMEOUT, "late"))
    with pytest.raises(errors.CallError, match="late"):
        await one.body(4)
    assert not one.keep_alive


async def test_what_comes_behind_the_answer_is_dropped() -> None:
    link = Unconnected()
    one = exchange(link)
    one.answer(413, b"", b"")
    one.feed(b"x" * (HIGH_WATER + 1))
    assert link.asked == ["answered"]
