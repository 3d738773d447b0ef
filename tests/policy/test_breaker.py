"""The breaker: what opens it, who is let in, whose result counts."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
)

from gateway.policy.breaker import (
    NEXT,
    Breaker,
    BreakerRule,
    Event,
    Permit,
    Refused,
    State,
    Window,
)

RULE = BreakerRule(failure_ratio=0.5, min_calls=4, window=10.0, open_for=5.0, probe_timeout=60.0)


def attempts(breaker: Breaker, now: float, *, failed: int = 0, answered: int = 0) -> None:
    """Attempts one after the other, the answered ones first."""
    for outcome in [False] * answered + [True] * failed:
        permit = breaker.enter(now)
        assert isinstance(permit, Permit)
        breaker.leave(permit, now, failed=outcome)


def opened(now: float = 100.0) -> Breaker:
    breaker = Breaker(RULE)
    attempts(breaker, now, failed=4)
    return breaker


def probing(now: float = 105.0) -> tuple[Breaker, Permit]:
    breaker = opened(now - RULE.open_for)
    permit = breaker.enter(now)
    assert isinstance(permit, Permit)
    return breaker, permit


# The table


def test_the_machine_has_these_transitions_and_no_other() -> None:
    assert {(str(state), str(event)): str(following) for (state, event), following in NEXT.items()} == {
        ("closed", "tripped"): "open",
        ("open", "waited"): "half_open",
        ("half_open", "recovered"): "closed",
        ("half_open", "relapsed"): "open",
    }


@pytest.mark.parametrize(
    ("state", "event"), [pair for pair in itertools.product(State, Event) if pair not in NEXT]
)
def test_an_impossible_transition_is_an_error(state: State, event: Event) -> None:
    with pytest.raises(KeyError):
        NEXT[state, event]


# Closed


def test_it_opens_when_the_share_of_failures_is_reached() -> None:
    breaker = Breaker(RULE)
    attempts(breaker, 100.0, answered=3, failed=2)
    assert breaker.state(100.0) is State.CLOSED
    attempts(breaker, 100.0, failed=1)
    assert breaker.state(100.0) is State.OPEN


def test_a_few_failures_say_nothing() -> None:
    breaker = Breaker(RULE)
    attempts(breaker, 100.0, failed=3)
    assert breaker.state(100.0) is State.CLOSED
    attempts(breaker, 100.0, failed=1)
    assert breaker.state(100.0) is State.OPEN


def test_an_answer_never_opens_it() -> None:
    breaker = Breaker(RULE)
    attempts(breaker, 100.0, failed=3)
    attempts(breaker, 100.0, answered=1)
    assert breaker.state(100.0) is State.CLOSED


def test_an_attempt_that_says_nothing_is_not_counted() -> None:
    breaker = Breaker(RULE)
    for _ in range(3):
        permit = breaker.enter(100.0)
        assert isinstance(permit, Permit)
        breaker.leave(permit, 100.0, failed=None)
    attempts(breaker, 100.0, failed=3)
    assert breaker.state(100.0) is State.CLOSED, "three attempts that say something are not four"


def test_failures_older_than_the_window_are_forgotten() -> None:
    breaker = Breaker(RULE)
    attempts(breaker, 100.0, failed=3)
    attempts(breaker, 111.0, failed=3)
    assert breaker.state(111.0) is State.CLOSED


def test_failures_inside_the_window_are_added_up() -> None:
    breaker = Breaker(RULE)
    attempts(breaker, 100.0, failed=3)
    attempts(breaker, 109.9, failed=1)
    assert breaker.state(109.9) is State.OPEN


# Open


def test_while_open_everybody_is_refused_and_told_how_long() -> None:
    breaker = opened(100.0)
    assert breaker.enter(100.0) == Refused(5.0)
    assert breaker.enter(103.0) == Refused(2.0)
    assert breaker.state(104.9) is State.OPEN


def test_a_result_from_before_it_opened_counts_no_more() -> None:
    breaker = Breaker(RULE)
    early = breaker.enter(100.0)
    assert isinstance(early, Permit)
    attempts(breaker, 100.0, failed=4)
    breaker.leave(early, 101.0, failed=False)
    assert breaker.state(101.0) is State.OPEN
    assert breaker.enter(104.0) == Refused(1.0)


def test_a_result_from_before_it_opened_does_not_judge_the_probe() -> None:
    breaker = Breaker(RULE)
    early = breaker.enter(100.0)
    assert isinstance(early, Permit)
    attempts(breaker, 100.0, failed=4)
    assert isinstance(breaker.enter(105.0), Permit)
    breaker.leave(early, 106.0, failed=False)
    assert breaker.state(106.0) is State.HALF_OPEN


def test_a_failure_from_before_it_opened_is_not_counted_after_it_closed() -> None:
    breaker = Breaker(RULE)
    early = [breaker.enter(100.0) for _ in range(4)]
    attempts(breaker, 100.0, failed=4)
    attempts(breaker, 105.0, answered=1)
    for permit in early:
        assert isinstance(permit, Permit)
        breaker.leave(permit, 106.0, failed=True)
    assert breaker.state(106.0) is State.CLOSED


def test_asking_for_the_state_changes_nothing() -> None:
    breaker = opened(100.0)
    before = repr(breaker)
    assert breaker.state(105.0) is State.HALF_OPEN
    assert repr(breaker) == before
    assert breaker.state(104.0) is State.OPEN


# Half-open


def test_after_the_wait_one_call_probes_and_the_others_are_refused() -> None:
    breaker, permit = probing(105.0)
    assert permit.probe
    assert breaker.state(105.0) is State.HALF_OPEN
    assert breaker.enter(105.0) == Refused(5.0)
    assert breaker.enter(164.0) == Refused(1.0)


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker, permit = probing(105.0)
    breaker.leave(permit, 106.0, failed=False)
    assert breaker.state(106.0) is State.CLOSED
    following = breaker.enter(106.0)
    assert isinstance(following, Permit)
    assert not following.probe


def test_a_probe_that_fails_opens_it_for_the_whole_time_again() -> None:
    breaker, permit = probing(105.0)
    breaker.leave(permit, 107.0, failed=True)
    assert breaker.state(107.0) is State.OPEN
    assert breaker.enter(107.0) == Refused(5.0)


def test_once_closed_again_it_counts_from_nothing() -> None:
    breaker, permit = probing(105.0)
    breaker.leave(permit, 105.0, failed=False)
    attempts(breaker, 105.0, failed=3)
    assert breaker.state(105.0) is State.CLOSED


def test_a_cancelled_probe_is_given_back_and_the_next_call_probes() -> None:
    breaker, cancelled = probing(105.0)
    breaker.leave(cancelled, 106.0, failed=None)
    assert breaker.state(106.0) is State.HALF_OPEN
    following = breaker.enter(106.0)
    assert isinstance(following, Permit)
    assert following.probe
    breaker.leave(cancelled, 106.0, failed=True)
    assert breaker.state(106.0) is State.HALF_OPEN, "a permit counts once"


def test_a_probe_that_is_never_heard_of_does_not_block_for_ever() -> None:
    breaker, lost = probing(105.0)
    assert isinstance(breaker.enter(164.9), Refused)
    second = breaker.enter(165.0)
    assert isinstance(second, Permit)
    assert second.probe
    breaker.leave(lost, 166.0, failed=False)
    assert breaker.state(166.0) is State.HALF_OPEN, "the lost probe has no say any more"
    breaker.leave(second, 166.0, failed=False)
    assert breaker.state(166.0) is State.CLOSED


def test_a_late_probe_still_counts_while_no_other_took_its_place() -> None:
    breaker, late = probing(105.0)
    breaker.leave(late, 170.0, failed=False)
    assert breaker.state(170.0) is State.CLOSED


def test_its_repr_shows_the_state() -> None:
    assert repr(Breaker(RULE)) == "<Breaker closed generation=0>"
    assert repr(opened(100.0)) == "<Breaker open generation=1 until=105.000>"
    assert repr(probing(105.0)[0]) == "<Breaker half_open generation=3 until=165.000>"


class ProbesOneAtATime(RuleBasedStateMachine):
    """Calls come, report, are cancelled or are lost, in any order, while time goes on."""

    permits: Bundle[Permit] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.rule = BreakerRule(failure_ratio=0.5, min_calls=2, window=8.0, open_for=4.0, probe_timeout=16.0)
        self.breaker = Breaker(self.rule)
        self.now = 0.0
        self.under_way: dict[Permit, float] = {}  # the probes that have not reported, and when they began
        self.newest_probe = Permit(-1, probe=True)

    @rule(eighths=st.integers(0, 80))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule(target=permits)
    def a_call_comes(self) -> Permit | MultipleResults[Permit]:
        announced = self.breaker.state(self.now)
        answer = self.breaker.enter(self.now)
        if isinstance(answer, Refused):
            assert announced is not State.CLOSED
            assert 0 < answer.retry_after <= self.rule.open_for
            return multiple()
        assert announced is (State.HALF_OPEN if answer.probe else State.CLOSED)
        if answer.probe:
            for began in self.under_way.values():
                assert self.now >= began + self.rule.probe_timeout, "two probes at once"
            self.under_way[answer] = self.now
            self.newest_probe = answer
        return answer

    @rule(permit=consumes(permits), failed=st.sampled_from([True, False, None]))
    def a_call_reports(self, permit: Permit, failed: bool | None) -> None:
        before, state = repr(self.breaker), self.breaker.state(self.now)
        self.breaker.leave(permit, self.now, failed=failed)
        self.under_way.pop(permit, None)
        if permit == self.newest_probe:
            expected = {True: State.OPEN, False: State.CLOSED, None: State.HALF_OPEN}[failed]
            assert self.breaker.state(self.now) is expected
        elif permit.probe or state is not State.CLOSED:
            assert repr(self.breaker) == before, "its time is over: it has no say"

    def teardown(self) -> None:
        later = self.now + max(self.rule.open_for, self.rule.probe_timeout)
        assert isinstance(self.breaker.enter(later), Permit), "nobody waits for ever"


TestProbesOneAtATime = ProbesOneAtATime.TestCase


# The window

eighths = st.integers(0, 14 * 8).map(lambda number: number / 8)


@pytest.mark.parametrize(
    ("now", "counted"), [(0.875, 1), (9.0, 1), (10.0, 1), (10.875, 1), (11.0, 0), (30.0, 0)]
)
def test_an_event_is_forgotten_after_the_window(now: float, counted: int) -> None:
    window = Window(10.0)
    window.add(0.875)
    assert window.count(now) == counted


@given(st.lists(eighths, max_size=60).map(sorted), eighths)
def test_an_event_counts_for_the_window_and_at_most_a_tenth_longer(times: list[float], wait: float) -> None:
    window = Window(10.0)
    for time in times:
        window.add(time)
    now = (times[-1] if times else 0.0) + wait
    surely = sum(now - time <= 10.0 for time in times)
    perhaps = sum(now - time < 11.0 for time in times)
    assert surely <= window.count(now) <= perhaps


def test_a_long_silence_forgets_everything() -> None:
    window = Window(10.0)
    for time in (0.5, 3.5, 9.5):
        window.add(time)
    assert window.count(9.5) == 3
    assert window.count(1e9) == 0
