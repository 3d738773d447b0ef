"""The retry budget: ten in ten seconds always, beyond that a share of the calls."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.budget import RetryBudget


def granted(budget: RetryBudget, now: float, asked: int) -> int:
    return sum(budget.may_retry(now) for _ in range(asked))


def after_calls(calls: int, *, share: float = 0.1, now: float = 100.0) -> RetryBudget:
    budget = RetryBudget(share)
    for _ in range(calls):
        budget.note_call(now)
    return budget


def test_ten_retries_are_there_even_without_calls() -> None:
    assert granted(RetryBudget(0.1), 100.0, 50) == 10


def test_ten_retries_are_there_even_with_a_share_of_zero() -> None:
    assert granted(after_calls(1000, share=0.0), 100.0, 50) == 10


def test_with_few_calls_the_share_does_not_matter() -> None:
    assert granted(after_calls(100), 100.0, 50) == 10


def test_with_many_calls_the_share_decides() -> None:
    assert granted(after_calls(500), 100.0, 200) == 50


def test_what_is_spent_comes_back_when_the_window_has_passed() -> None:
    budget = RetryBudget(0.1)
    assert granted(budget, 100.0, 50) == 10
    assert granted(budget, 109.9, 50) == 0
    assert granted(budget, 111.0, 50) == 10


def test_calls_give_no_retries_after_the_window() -> None:
    assert granted(after_calls(500, now=100.0), 111.0, 200) == 10


def test_a_refused_retry_costs_nothing() -> None:
    budget = RetryBudget(0.1)
    granted(budget, 100.0, 1000)
    for _ in range(110):
        budget.note_call(100.0)
    assert granted(budget, 100.0, 50) == 1, "eleven of 110 calls, ten of them spent before"


steps = st.lists(
    st.tuples(st.sampled_from(["call", "retry"]), st.integers(1, 60), st.integers(0, 40)), max_size=60
)


@given(steps, st.sampled_from([0.0, 0.1, 0.25, 1.0]))
def test_it_never_grants_more_than_the_share_and_ten_and_never_less_than_ten(
    steps: list[tuple[str, int, int]], share: float
) -> None:
    """Held against plain lists of times; a window forgets at ten seconds at the earliest, at eleven at the
    latest."""
    budget, now = RetryBudget(share), 0.0
    calls: list[float] = []
    retries: list[float] = []
    for kind, times, eighths in steps:
        now += eighths / 8
        for _ in range(times):
            if kind == "call":
                budget.note_call(now)
                calls.append(now)
                continue
            recent = sum(now - time < 11.0 for time in retries)
            if budget.may_retry(now):
                retries.append(now)
                spent = sum(now - time <= 10.0 for time in retries)
                counted = sum(now - time < 11.0 for time in calls)
                assert spent <= max(10, share * counted)
            else:
                assert recent >= 10
