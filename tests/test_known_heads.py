"""gateway.known_heads: a head is known by all of its bytes, and only where it may come again."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway import errors
from gateway.dataplane import Admitted
from gateway.head import Head, read
from gateway.known_heads import LONGEST, MOST, KnownHeads

ADMITTED = cast(Admitted, SimpleNamespace(limit=1_000_000))
FIELDS = {b"host": b"a", b"content-length": b"2"}
REQUEST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"


def heads() -> KnownHeads:
    return KnownHeads(lambda head: ADMITTED, 16_000)


def learn(known: KnownHeads, raw: bytes, seen: Head) -> None:
    """As of a head that comes again."""
    known.learn(raw, seen)
    known.learn(raw, seen)


def head(target: bytes = b"/a", **fields: bytes) -> Head:
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return read(b"POST", target, "1.1", {**FIELDS, **named}, keep_alive=True)


def test_a_head_is_known_with_whatever_body_it_comes_again() -> None:
    known, seen = heads(), head()
    learn(known, REQUEST, seen)
    found = known.find(REQUEST + b"[]")
    assert found is not None
    assert (found.head, found.admitted) == (seen, ADMITTED)


def test_a_head_that_came_once_is_not_kept_it_may_never_come_again() -> None:
    known = heads()
    for number in range(100):
        known.learn(b"%d" % number + REQUEST, head())
    assert len(known) == 0


def test_what_is_said_of_a_head_is_its_own_length() -> None:
    known = heads()
    learn(known, REQUEST, head())
    found = known.find(REQUEST.replace(b": 2", b": 345") + b"x" * 345)
    assert found is not None
    assert (found.head.length, found.head.headers[b"content-length"]) == (345, b"345")


def test_a_head_is_given_back_with_its_body_apart() -> None:
    known = heads()
    learn(known, REQUEST, head())
    found = known.find(REQUEST + b"[]")
    assert found is not None
    assert (REQUEST + b"[]")[found.size : found.whole] == b"[]"


@pytest.mark.parametrize(
    "data",
    [
        REQUEST + b"{} ",
        REQUEST + b"{}" + REQUEST,
        REQUEST.replace(b"Host: a", b"Host: b") + b"{}",
        REQUEST.replace(b"Host", b"host") + b"{}",
        b"\r\n" + REQUEST + b"{}",
        b"\r\n\r\n" + REQUEST + b"{}",
        b"",
        b"{}",
    ],
)
def test_nothing_else_is(data: bytes) -> None:
    known = heads()
    learn(known, REQUEST, head())
    assert known.find(data) is None


def test_a_head_is_known_before_all_of_its_body_has_come() -> None:
    known = heads()
    learn(known, REQUEST, head())
    for data in (REQUEST, REQUEST + b"{"):
        found = known.find(data)
        assert found is not None
        assert found.whole == len(REQUEST) + 2


@pytest.mark.parametrize("spelt", [b"Content-Length", b"content-length"])
def test_it_is_the_same_head_whatever_the_length(spelt: bytes) -> None:
    known, request = heads(), REQUEST.replace(b"Content-Length", spelt)
    learn(known, request, head())
    for length in (0, 7, 10, 4321):
        longer = request.replace(b": 2", b": %d" % length)
        found = known.find(longer + b"x" * length)
        assert found is not None
        assert (found.size, found.whole) == (len(longer), len(longer) + length)
        assert known.find(longer + b"x" * (length + 1)) is None
    assert len(known) == 1


@pytest.mark.parametrize(
    "line", [b": ", b": 2 ", b":  2", b":2", b": +2", b": 0x2", b": 2, 2", b": 1234567890"]
)
def test_a_length_that_is_spelt_in_any_other_way_is_not_looked_at(line: bytes) -> None:
    known, request = heads(), REQUEST.replace(b": 2", line)
    learn(known, request, head())
    assert len(known) == 0
    learn(known, REQUEST, head())
    assert known.find(request + b"{}") is None


def test_a_length_beyond_the_limit_is_left_to_who_refuses_it() -> None:
    known = heads()
    learn(known, REQUEST, head())
    for length, is_found in ((1_000_000, True), (1_000_001, False)):
        whole = REQUEST.replace(b": 2", b": %d" % length) + b"x" * length
        assert (known.find(whole) is not None) is is_found


def test_only_the_length_may_differ_not_what_looks_like_one() -> None:
    """A field before it, or one of the same name in the body or in a value."""
    known = heads()
    for before in (b"X-Length: 1", b"X: Content-Length: 1", b"content-length-x: 1"):
        request = REQUEST.replace(b"\r\nContent", b"\r\n" + before + b"\r\nContent")
        learn(known, request, head())
        assert known.find(request + b"{}") is not None
        assert known.find(request.replace(before, before[:-1] + b"9") + b"{}") is None


def test_a_head_near_the_limit_is_not_kept() -> None:
    for room, is_kept in ((9, True), (8, False)):
        known = KnownHeads(lambda head: ADMITTED, len(REQUEST) + room)
        learn(known, REQUEST, head())
        assert (len(known) == 1) is is_kept


@pytest.mark.parametrize(
    "raw", [b"", REQUEST[:-1], REQUEST + b"{", REQUEST + REQUEST, b"\r\n\r\n" + REQUEST, b"\r\n\r\n\r\n"]
)
def test_what_is_not_one_head_is_not_kept(raw: bytes) -> None:
    known = heads()
    learn(known, raw, head())
    assert len(known) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": b"1"},
        {"idempotency_key": b"1"},
        {"traceparent": b"x"},
        {"expect": b"100-continue"},
        {"target": b"/a?b=1"},
        {"content_length": b""},
    ],
    ids=str,
)
def test_what_is_another_for_each_call_is_not_kept(changes: dict[str, Any]) -> None:
    known = heads()
    learn(known, REQUEST, head(**changes))
    assert len(known) == 0


def test_a_long_head_and_one_that_is_refused_are_not_kept() -> None:
    def refuse(head: Head) -> Admitted:
        raise errors.CallError(errors.UNSUPPORTED_TYPE, "no")

    known = heads()
    learn(known, b"x" * LONGEST + REQUEST, head())
    assert len(known) == 0
    known = KnownHeads(refuse, 16_000)
    learn(known, REQUEST, head())
    assert len(known) == 0


def test_there_are_only_so_many() -> None:
    known = heads()
    for number in range(2 * MOST):
        learn(known, b"%d" % number + REQUEST, head())
        assert len(known) <= MOST
