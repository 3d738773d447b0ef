"""policy.pacing: never more requests than the rate allows, and none kept back that could have gone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.pacing import EARLY, Pace, take

FOREVER = float("inf")
RATES = st.floats(0.01, 2000)


def departures(pace: Pace, arrivals: list[float], patience: float = FOREVER) -> list[float]:
    """When requests go out that come at these times; those that get no turn are left out."""
    due, gone = 0.0, []
    for now in arrivals:
        turn, due = take(pace, due, now, patience)
        if turn.granted:
            gone.append(now + turn.wait)
    return gone


def test_one_alone_goes_at_once() -> None:
    assert departures(Pace.of(50), [100.0]) == [100.0]


def test_what_comes_no_faster_than_the_rate_is_not_held_back() -> None:
    arrivals = [100 + n / 50 for n in range(200)]
    assert departures(Pace.of(50), arrivals) == pytest.approx(arrivals)


def test_a_bunch_goes_out_a_tenth_of_a_second_s_worth_at_once_and_the_rest_evenly() -> None:
    gone = departures(Pace.of(50), [100.0] * 12)
    assert gone == pytest.approx([100.0] * 6 + [100 + n / 50 for n in range(1, 7)])


def test_a_slow_rate_is_spread_evenly_from_the_first_on() -> None:
    assert departures(Pace.of(1 / 60), [0.0, 0.0, 0.0]) == pytest.approx([0.0, 60.0, 120.0])


def test_who_would_wait_too_long_gets_no_turn_and_takes_none() -> None:
    pace = Pace.of(1)
    turn, due = take(pace, 0.0, 0.0, 0.5)
    refused, after = take(pace, due, 0.25, 0.5)
    granted, _ = take(pace, after, 0.75, 0.5)
    assert (turn.granted, refused.granted, granted.granted) == (True, False, True)
    assert refused.wait == pytest.approx(0.75)
    assert granted.wait == pytest.approx(0.25)


@given(RATES, st.lists(st.floats(0, 100), min_size=1, max_size=60).map(sorted))
def test_in_no_time_more_go_out_than_the_rate_and_a_tenth_of_a_second_s_worth(
    rate: float, arrivals: list[float]
) -> None:
    gone = departures(Pace.of(rate), arrivals)
    for first in range(len(gone)):
        for last in range(first, len(gone)):
            took = gone[last] - gone[first]
            assert last - first + 1 <= 1 + rate * (took + EARLY) + 1e-6


@given(RATES, st.lists(st.floats(0, 100), min_size=1, max_size=60).map(sorted))
def test_turns_come_in_the_order_of_arrival(rate: float, arrivals: list[float]) -> None:
    gone = departures(Pace.of(rate), arrivals)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(gone))
    assert all(out >= came for came, out in zip(arrivals, gone, strict=True))
