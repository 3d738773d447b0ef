"""What is given from the cache, and what is not: every limit from both sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.model import ApiMethod, Effect
from gateway.policy.freshness import (
    CacheControl,
    Course,
    FreshnessRule,
    Lifetime,
    decide,
    decide_after_failure,
    may_keep,
    may_look,
)

DEFAULT = Lifetime(ttl=5, stale_while_revalidate=6, stale_if_error=7)
NO_WISH = CacheControl()
NO_CACHE = CacheControl(no_cache=True)
NO_STORE = CacheControl(no_store=True)
ONLY_IF_CACHED = CacheControl(only_if_cached=True)


def method(**rule: object) -> ApiMethod:
    return ApiMethod("segments/get", Effect.READ, **rule)  # type: ignore[arg-type]  # any field of the model


RULE = FreshnessRule.of(
    method(ttl=10.0, stale_while_revalidate=20.0, stale_if_error=40.0, negative_ttl={404: 2.0}), DEFAULT
)
NOTHING_KEPT = FreshnessRule.of(method(ttl=0.0), DEFAULT)


def test_a_method_without_times_has_the_defaults() -> None:
    assert FreshnessRule.of(method(), DEFAULT).lifetime(0) == DEFAULT


def test_a_method_s_own_times_go_before_the_defaults_also_when_they_are_zero() -> None:
    rule = FreshnessRule.of(method(ttl=1.0, stale_while_revalidate=0.0, stale_if_error=0.0), DEFAULT)

    assert rule.lifetime(0) == Lifetime(ttl=1, stale_while_revalidate=0, stale_if_error=0)


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        pytest.param(0, Lifetime(10, 20, 40), id="success"),
        pytest.param(404, Lifetime(2, 0, 0), id="an error with a time of its own is never given stale"),
        pytest.param(500, None, id="any other error"),
        pytest.param(None, None, id="no code"),
    ],
)
def test_what_may_be_kept_is_told_by_the_platform_s_code(code: int | None, kept: Lifetime | None) -> None:
    assert RULE.lifetime(code) == kept


def test_a_ttl_of_zero_keeps_nothing_whatever_the_stale_times_say() -> None:
    assert NOTHING_KEPT.lifetime(0) is None
    assert not may_look(NOTHING_KEPT, NO_WISH)
    assert not may_keep(NOTHING_KEPT, NO_WISH)


def test_an_error_s_time_of_zero_keeps_nothing() -> None:
    assert FreshnessRule.of(method(ttl=1.0, negative_ttl={404: 0.0}), DEFAULT).lifetime(404) is None


def test_errors_may_be_kept_where_successes_are_not() -> None:
    rule = FreshnessRule.of(method(ttl=0.0, negative_ttl={404: 1.0}), DEFAULT)

    assert may_look(rule, NO_WISH)
    assert rule.lifetime(404) == Lifetime(1)
    assert rule.lifetime(0) is None


def test_success_is_not_an_error_with_a_time_of_its_own() -> None:
    assert FreshnessRule.of(method(ttl=0.0, negative_ttl={0: 9.0}), DEFAULT).lifetime(0) is None


@pytest.mark.parametrize(
    ("lifetime", "kept"),
    [(Lifetime(10, 20, 40), 50), (Lifetime(10, 40, 20), 50), (Lifetime(10), 10)],
    ids=["longest for errors", "longest for revalidation", "never stale"],
)
def test_a_reply_is_of_use_until_the_last_of_its_limits(lifetime: Lifetime, kept: float) -> None:
    assert lifetime.kept == kept


@pytest.mark.parametrize(
    ("age", "course", "ttl"),
    [
        pytest.param(0, Course.FRESH, 10, id="new"),
        pytest.param(9.75, Course.FRESH, 0.25, id="nearly stale"),
        pytest.param(10, Course.REVALIDATE, 0, id="just stale"),
        pytest.param(29.75, Course.REVALIDATE, -19.75, id="nearly too stale"),
        pytest.param(30, Course.FORWARD_STALE, -20, id="too stale to be given at once"),
        pytest.param(1000, Course.FORWARD_STALE, -990, id="older than anything"),
    ],
)
def test_what_is_done_with_a_kept_reply_depends_on_its_age(age: float, course: Course, ttl: float) -> None:
    decision = decide(RULE, NO_WISH, 0, age)

    assert (decision.course, decision.ttl) == (course, ttl)
    assert decision.age == age


@pytest.mark.parametrize(
    ("age", "course"), [(1.75, Course.FRESH), (2, Course.FORWARD_STALE)], ids=["in time", "over"]
)
def test_an_error_is_given_while_it_is_fresh_only(age: float, course: Course) -> None:
    assert decide(RULE, NO_WISH, 404, age).course is course


def test_nothing_kept_is_a_miss() -> None:
    assert decide(RULE, NO_WISH, None, 0).course is Course.FORWARD_MISS


def test_a_reply_that_the_rule_no_longer_keeps_is_a_miss() -> None:
    assert decide(RULE, NO_WISH, 500, 0).course is Course.FORWARD_MISS


@pytest.mark.parametrize(
    ("rule", "control", "course"),
    [
        pytest.param(RULE, NO_CACHE, Course.FORWARD_REQUEST, id="no-cache"),
        pytest.param(RULE, NO_STORE, Course.BYPASS, id="no-store"),
        pytest.param(RULE, CacheControl(no_cache=True, no_store=True), Course.BYPASS, id="both"),
        pytest.param(NOTHING_KEPT, NO_WISH, Course.BYPASS, id="ttl 0"),
        pytest.param(NOTHING_KEPT, NO_CACHE, Course.BYPASS, id="ttl 0, no-cache"),
    ],
)
def test_a_fresh_reply_does_not_answer(rule: FreshnessRule, control: CacheControl, course: Course) -> None:
    assert decide(rule, control, 0, 0).course is course
    assert not may_look(rule, control)


def test_no_cache_may_keep_the_new_reply_and_no_store_may_not() -> None:
    assert may_keep(RULE, NO_CACHE)
    assert not may_keep(RULE, NO_STORE)


@pytest.mark.parametrize(
    ("code", "age", "course"),
    [
        pytest.param(0, 9.75, Course.FRESH, id="fresh"),
        pytest.param(0, 10, Course.STALE, id="stale, without the fetch in the background"),
        pytest.param(0, 30, Course.REFUSE, id="too stale"),
        pytest.param(None, 0, Course.REFUSE, id="nothing kept"),
    ],
)
def test_only_if_cached_never_has_the_platform_asked(code: int | None, age: float, course: Course) -> None:
    assert decide(RULE, ONLY_IF_CACHED, code, age).course is course


@pytest.mark.parametrize(
    "control",
    [CacheControl(no_cache=True, only_if_cached=True), CacheControl(no_store=True, only_if_cached=True)],
    ids=["no-cache", "no-store"],
)
def test_only_if_cached_with_a_wish_for_something_new_cannot_be_met(control: CacheControl) -> None:
    assert decide(RULE, control, 0, 0).course is Course.REFUSE


@pytest.mark.parametrize(
    ("age", "course"),
    [
        pytest.param(9.75, Course.FRESH, id="somebody else has fetched it meanwhile"),
        pytest.param(10, Course.STALE_IF_ERROR, id="just stale"),
        pytest.param(49.75, Course.STALE_IF_ERROR, id="nearly too stale"),
        pytest.param(50, None, id="too stale"),
    ],
)
def test_after_a_failure_a_stale_reply_is_given_for_its_time(age: float, course: Course | None) -> None:
    decision = decide_after_failure(RULE, NO_WISH, 0, age)

    assert (decision and decision.course) == course
    if decision is not None:
        assert (decision.ttl, decision.age) == (10 - age, age)


@pytest.mark.parametrize(
    ("control", "code"),
    [
        pytest.param(NO_WISH, None, id="nothing kept"),
        pytest.param(NO_WISH, 500, id="an error that is not kept"),
        pytest.param(NO_CACHE, 0, id="the caller wanted a new one"),
        pytest.param(NO_STORE, 0, id="the caller wanted no trace"),
    ],
)
def test_a_failure_is_shown_where_nothing_may_stand_in(control: CacheControl, code: int | None) -> None:
    assert decide_after_failure(RULE, control, code, 11) is None


def test_a_kept_error_never_stands_in_for_a_failure() -> None:
    assert decide_after_failure(RULE, NO_WISH, 404, 2) is None


seconds = st.floats(min_value=0, max_value=1000)
lifetimes = st.builds(Lifetime, seconds.filter(bool), seconds, seconds)
controls = st.builds(CacheControl, st.booleans(), st.booleans(), st.booleans())
LIMITS = {
    Course.FRESH: lambda lifetime: lifetime.ttl,
    Course.REVALIDATE: lambda lifetime: lifetime.ttl + lifetime.stale_while_revalidate,
    Course.STALE: lambda lifetime: lifetime.ttl + lifetime.stale_while_revalidate,
    Course.STALE_IF_ERROR: lambda lifetime: lifetime.ttl + lifetime.stale_if_error,
}


@given(lifetimes, controls, seconds)
def test_no_reply_is_given_when_it_is_older_than_promised(
    lifetime: Lifetime, control: CacheControl, age: float
) -> None:
    rule = FreshnessRule({0: lifetime})
    for decision in (decide(rule, control, 0, age), decide_after_failure(rule, control, 0, age)):
        if decision is not None and decision.course in LIMITS:
            assert age < LIMITS[decision.course](lifetime)
            assert age < lifetime.kept
            assert not control.no_cache
            assert not control.no_store


ASKS = {Course.REVALIDATE, Course.FORWARD_MISS, Course.FORWARD_STALE, Course.FORWARD_REQUEST, Course.BYPASS}


@given(lifetimes, controls, seconds, st.sampled_from([0, 404, None]))
def test_the_platform_is_asked_unless_something_is_given_or_the_caller_forbids_it(
    lifetime: Lifetime, control: CacheControl, age: float, code: int | None
) -> None:
    course = decide(FreshnessRule({0: lifetime}), control, code, age).course

    if control.only_if_cached:
        assert course not in ASKS
    else:
        assert course in ASKS or course is Course.FRESH
