"""gateway.observe.recent: what happened lately, in bounded memory."""

import math

import pytest
from msgspec.structs import replace

from gateway.observe.recent import FAILURES, SLOTS, SPAN, SPANS, Recent, Tally
from gateway.records import AttemptRecord, CallRecord


class Time:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def recent(time: Time) -> Recent:
    return Recent(time, time)


def pass_slots(recent: Recent, time: Time, count: int) -> None:
    for _ in range(count):
        time.now += 2.0
        recent.rotate()


def seen(recent: Recent, seconds: float) -> dict[str, int]:
    return {method: tally.calls for method, tally in recent.window(seconds).methods.items()}


def test_a_call_is_seen_at_once_and_counted_once_when_its_slot_is_over(
    recent: Recent, time: Time, a_call: CallRecord
) -> None:
    recent.call(a_call)
    assert seen(recent, 60) == seen(recent, math.inf) == {"profiles/get": 1}
    pass_slots(recent, time, 1)
    assert seen(recent, 60) == seen(recent, math.inf) == {"profiles/get": 1}
    assert [point.tally.calls for point in recent.points] == [1]


def test_every_end_is_counted_by_what_it_was(recent: Recent, a_call: CallRecord) -> None:
    recent.call(a_call)
    recent.call(replace(a_call, code=404))
    recent.call(replace(a_call, code=404))
    recent.call(replace(a_call, code=502, status=502, origin="gateway", error="upstream-reset"))
    ends = recent.window(60).methods["profiles/get"].ends
    assert {(end.code, end.error, end.turn): count for end, count in ends.items()} == {
        ("0", "", None): 1,
        ("404", "", "caller"): 2,
        ("502", "upstream-reset", "platform"): 1,
    }


def test_codes_that_a_platform_invents_do_not_pile_up(recent: Recent, time: Time, a_call: CallRecord) -> None:
    for code in range(10_000, 11_000):
        recent.call(replace(a_call, code=code))
    pass_slots(recent, time, 1)
    [(end, count)] = recent.window(math.inf).methods["profiles/get"].ends.items()
    assert (end.code, end.turn, count) == ("other", "platform", 1000)


def test_a_reply_without_a_code_is_no_failure(recent: Recent, a_call: CallRecord) -> None:
    recent.call(replace(a_call, code=None))
    assert not recent.failures
    [end] = recent.window(60).methods["profiles/get"].ends
    assert end.turn is None


def test_a_window_forgets_what_is_older_and_the_whole_does_not(
    recent: Recent, time: Time, a_call: CallRecord
) -> None:
    recent.call(a_call)
    pass_slots(recent, time, 16)
    assert seen(recent, 60) == {"profiles/get": 1}
    pass_slots(recent, time, 60)
    assert seen(recent, 60) == {}
    assert seen(recent, 300) == {"profiles/get": 1}
    pass_slots(recent, time, SPAN * (SPANS + 1))
    assert seen(recent, 300) == {}
    assert seen(recent, math.inf) == {"profiles/get": 1}


def test_a_window_says_how_long_it_is(recent: Recent, time: Time) -> None:
    pass_slots(recent, time, 10)
    assert recent.window(60).seconds == 20.0
    pass_slots(recent, time, 990)
    assert 60 <= recent.window(60).seconds <= 60 + SPAN * 2
    assert 300 <= recent.window(300).seconds <= 300 + SPAN * 2
    assert recent.window(math.inf).seconds == 2000.0


def test_memory_is_bounded(recent: Recent, time: Time, a_call: CallRecord) -> None:
    for number in range(FAILURES + 5):
        recent.call(replace(a_call, code=404, request_id=str(number)))
    pass_slots(recent, time, SLOTS + 5)
    assert len(recent.points) == SLOTS
    assert [record.request_id for record in recent.failures] == [
        str(number) for number in range(5, FAILURES + 5)
    ]


def test_quantiles_are_right_to_a_fifth(recent: Recent, a_call: CallRecord) -> None:
    for number in range(1, 1001):
        recent.call(replace(a_call, seconds=number / 1000))
    tally = recent.window(60).methods["profiles/get"]
    for share in (0.1, 0.5, 0.9, 0.99):
        assert tally.quantile(share) == pytest.approx(share, rel=0.2)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.0001, 59.0, 1e6])
def test_any_duration_has_a_quantile(recent: Recent, a_call: CallRecord, seconds: float) -> None:
    recent.call(replace(a_call, seconds=seconds))
    value = recent.window(60).methods["profiles/get"].quantile(0.99)
    assert value is not None
    assert 0 < value < 120


def test_without_calls_there_is_no_quantile() -> None:
    assert Tally().quantile(0.5) is None


def test_the_last_rejection_of_a_token_is_remembered(
    recent: Recent, time: Time, an_attempt: AttemptRecord
) -> None:
    recent.rejected(replace(an_attempt, token="reader"))
    time.now += 5
    recent.rejected(replace(an_attempt, token="reader"))
    assert recent.rejections == {("default", "reader"): 1005.0}
