"""gateway.upstream.reply_head: what the headers of a reply say to the gateway."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.reply_head import ReplyHead, read_head

NOTHING = ReplyHead(content_type=b"", retry_after=None, duplicate=False, coding=b"")
SAID = [
    (b"Content-Type", b"text/csv; charset=utf-8"),
    (b"Content-Encoding", b"GZip"),
    (b"Retry-After", b"120"),
    (b"Duplicate-Request", b"TRUE"),
]
HEAD = ReplyHead(b"text/csv; charset=utf-8", b"120", duplicate=True, coding=b"gzip")


def test_no_headers_say_nothing() -> None:
    assert read_head([]) == NOTHING


def cased(name: bytes) -> st.SearchStrategy[bytes]:
    return st.sampled_from([name, name.lower(), name.upper(), name.swapcase()])


@given(data=st.data())
def test_headers_are_read_in_any_order_whatever_the_case_of_their_names(data: st.DataObject) -> None:
    headers = [(data.draw(cased(name)), value) for name, value in data.draw(st.permutations(SAID))]

    assert read_head(headers) == HEAD


@pytest.mark.parametrize(
    "name",
    [b"Content-Length", b"Date", b"", b"Content-Typo", b"Content-Encodinh", b"X-Retry-Aft", b"Retry-Aftes"],
)
def test_other_headers_say_nothing_even_with_names_as_long(name: bytes) -> None:
    assert read_head([(name, b"true")]) == NOTHING
    assert read_head([(name, b"true"), *SAID, (name, b"true")]) == HEAD


@pytest.mark.parametrize("name", [b"Duplicate-Request", b"X-Duplicate-Request"])
@pytest.mark.parametrize(
    ("value", "is_one"), [(b"true", True), (b"True", True), (b"false", False), (b"1", False), (b"", False)]
)
def test_a_duplicate_is_what_the_platform_says_is_one(name: bytes, value: bytes, is_one: bool) -> None:
    assert read_head([(name, value)]).duplicate is is_one


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ([b"gzip"], b"gzip"),
        ([b" GZIP "], b"gzip"),
        ([b"identity"], b""),
        ([b""], b""),
        ([b"br"], b"br"),
        ([b"gzip", b"br"], b"gzip,br"),
        ([b"identity", b"gzip"], b"identity,gzip"),
    ],
)
def test_every_coding_counts_and_identity_alone_is_none(values: list[bytes], coding: bytes) -> None:
    assert read_head([(b"Content-Encoding", value) for value in values]).coding == coding


def test_of_a_type_and_a_time_that_come_twice_the_last_is_taken() -> None:
    head = read_head(
        [
            (b"Content-Type", b"text/html"),
            (b"Retry-After", b"1"),
            (b"Content-Type", b"application/json"),
            (b"Retry-After", b"2"),
        ]
    )

    assert (head.content_type, head.retry_after) == (b"application/json", b"2")
