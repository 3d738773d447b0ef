"""gateway.known_heads: a head is known by all of its bytes, and only where it may come again."""

from typing import Any, cast

import pytest

from gateway import errors
from gateway.dataplane import Admitted
from gateway.head import Head, read
from gateway.known_heads import LONGEST, MOST, KnownHeads
from gateway.room import SMALL

ADMITTED = cast(Admitted, object())
FIELDS = {b"host": b"a", b"content-length": b"2"}
REQUEST = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"


def heads() -> KnownHeads:
    return KnownHeads(lambda head: ADMITTED)


def head(target: bytes = b"/a", **fields: bytes) -> Head:
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return read(b"POST", target, "1.1", {**FIELDS, **named}, keep_alive=True)


def test_a_head_is_known_with_whatever_body_it_comes_again() -> None:
    known, seen = heads(), head()
    known.learn(REQUEST, seen)
    found = known.find(REQUEST + b"[]")
    assert found is not None
    assert (found.head, found.admitted) == (seen, ADMITTED)
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
    known.learn(REQUEST, head())
    assert known.find(data) is None


def test_a_head_is_known_before_all_of_its_body_has_come() -> None:
    known = heads()
    known.learn(REQUEST, head())
    for data in (REQUEST, REQUEST + b"{"):
        found = known.find(data)
        assert found is not None
        assert found.whole == len(REQUEST) + 2


def test_a_large_body_is_not_begun_without_room_for_it() -> None:
    known = heads()
    known.learn(REQUEST, head(content_length=b"%d" % (SMALL + 1)))
    assert known.find(REQUEST) is None
    assert known.find(REQUEST + b"x" * (SMALL + 1)) is not None


@pytest.mark.parametrize(
    "raw", [b"", REQUEST[:-1], REQUEST + b"{", REQUEST + REQUEST, b"\r\n\r\n" + REQUEST, b"\r\n\r\n\r\n"]
)
def test_what_is_not_one_head_is_not_kept(raw: bytes) -> None:
    known = heads()
    known.learn(raw, head())
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
    known.learn(REQUEST, head(**changes))
    assert len(known) == 0


def test_a_long_head_and_one_that_is_refused_are_not_kept() -> None:
    def refuse(head: Head) -> Admitted:
        raise errors.CallError(errors.UNSUPPORTED_TYPE, "no")

    known = heads()
    known.learn(b"x" * LONGEST + REQUEST, head())
    assert len(known) == 0
    known = KnownHeads(refuse)
    known.learn(REQUEST, head())
    assert len(known) == 0


def test_there_are_only_so_many() -> None:
    known = heads()
    for number in range(2 * MOST):
        known.learn(b"%d" % number + REQUEST, head())
        assert len(known) <= MOST
