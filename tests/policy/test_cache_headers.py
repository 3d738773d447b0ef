"""The cache's headers: read tolerantly, written exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cache_headers import (
    MODIFYING,
    age_header,
    cache_status,
    own_status,
    parse_cache_control,
)
from gateway.policy.freshness import CacheControl, Course, Decision


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        pytest.param(None, CacheControl(), id="no header"),
        pytest.param(b"", CacheControl(), id="empty"),
        pytest.param(b"no-cache", CacheControl(no_cache=True), id="no-cache"),
        pytest.param(b"no-store", CacheControl(no_store=True), id="no-store"),
        pytest.param(b"only-if-cached", CacheControl(only_if_cached=True), id="only-if-cached"),
        pytest.param(b"No-Cache", CacheControl(no_cache=True), id="case"),
        pytest.param(
            b"no-cache,no-store", CacheControl(no_cache=True, no_store=True), id="list without spaces"
        ),
        pytest.param(
            b" max-age=0 ,\tonly-if-cached , , no-transform",
            CacheControl(only_if_cached=True),
            id="among others, with empty items",
        ),
        pytest.param(b"no-cache=x", CacheControl(no_cache=True), id="an argument it does not have"),
        pytest.param(b'no-cache="a, b"', CacheControl(no_cache=True), id="a quoted argument"),
        pytest.param(b"max-age=0, max-stale, min-fresh=9", CacheControl(), id="advice that is passed over"),
        pytest.param(b'x="no-store"', CacheControl(), id="quoted"),
        pytest.param(b'x="a, no-store, b", no-cache', CacheControl(no_cache=True), id="quoted list"),
        pytest.param(b'x="a\\", no-store, \\"b"', CacheControl(), id="quoted quotes"),
        pytest.param(b'x="a\\\\", no-store', CacheControl(no_store=True), id="quoted backslash"),
        pytest.param(b'no-store, x="open, no-cache', CacheControl(no_store=True), id="a quote left open"),
        pytest.param(b"no-cached, xno-store, no cache", CacheControl(), id="other names"),
        pytest.param(b"no-store\xff", CacheControl(), id="not ASCII"),
    ],
)
def test_three_directives_are_read_and_all_else_is_passed_over(
    value: bytes | None, wish: CacheControl
) -> None:
    assert parse_cache_control(value) == wish


@given(st.binary())
def test_reading_never_fails(value: bytes) -> None:
    assert isinstance(parse_cache_control(value), CacheControl)


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (Decision(Course.FRESH, 12, 3), b"gateway; hit; ttl=12"),
        (Decision(Course.FRESH, 12.9, 3), b"gateway; hit; ttl=12"),
        (Decision(Course.FRESH, 0.1, 3), b"gateway; hit; ttl=0"),
        (Decision(Course.REVALIDATE, -3, 3), b"gateway; hit; ttl=-3; detail=stale-while-revalidate"),
        (Decision(Course.REVALIDATE, -0.1, 3), b"gateway; hit; ttl=-1; detail=stale-while-revalidate"),
        (Decision(Course.STALE, -3, 3), b"gateway; hit; ttl=-3; detail=stale-while-revalidate"),
        (Decision(Course.STALE_IF_ERROR, -9, 3), b"gateway; hit; ttl=-9; detail=stale-if-error"),
    ],
)
def test_a_kept_reply_says_how_long_it_is_fresh_and_why_it_is_given_stale(
    decision: Decision, status: bytes
) -> None:
    assert cache_status(decision) == status


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        (Course.FORWARD_MISS, b"miss"),
        (Course.FORWARD_STALE, b"stale"),
        (Course.FORWARD_REQUEST, b"request"),
        (Course.BYPASS, b"bypass"),
    ],
)
def test_a_reply_of_the_platform_says_why_it_was_asked_and_what_became_of_it(
    course: Course, reason: bytes
) -> None:
    status = b"gateway; fwd=" + reason
    assert cache_status(Decision(course)) == status
    assert cache_status(Decision(course), stored=True) == status + b"; stored"
    assert cache_status(Decision(course), collapsed=True) == status + b"; collapsed"


def test_who_joined_does_not_say_that_the_reply_was_stored() -> None:
    joined = cache_status(Decision(Course.FORWARD_MISS), stored=True, collapsed=True)

    assert joined == b"gateway; fwd=miss; collapsed"


def test_the_gateway_s_own_answers_and_modifying_calls_have_a_status_too() -> None:
    assert own_status("not_cached") == b"gateway; detail=not_cached"
    assert MODIFYING == b"gateway; fwd=method"


@pytest.mark.parametrize(
    ("decision", "age"),
    [
        (Decision(Course.FRESH, 7, 3.9), b"3"),
        (Decision(Course.REVALIDATE, -1, 11), b"11"),
        (Decision(Course.STALE, -1, 11), b"11"),
        (Decision(Course.STALE_IF_ERROR, -1, 11), b"11"),
        (Decision(Course.FRESH, 10, 0), b"0"),
        (Decision(Course.FRESH, 11, -1), b"0"),
        (Decision(Course.FORWARD_STALE, -1, 11), None),
        (Decision(Course.FORWARD_MISS), None),
        (Decision(Course.BYPASS), None),
    ],
)
def test_age_is_told_of_kept_replies_only(decision: Decision, age: bytes | None) -> None:
    assert age_header(decision) == age


@pytest.mark.parametrize("course", [course for course in Course if course is not Course.REFUSE])
def test_every_answered_course_has_a_status(course: Course) -> None:
    assert cache_status(Decision(course)).startswith(b"gateway; ")
