"""Who may be sent again, and when. The one promise above all: nothing runs twice."""

from typing import Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.retrying import (
    Attempted,
    RetryRule,
    Trouble,
    asked_pause,
    may_repeat,
    of_failure,
    of_status,
)
from gateway.records import FailureKind

RULE = RetryRule(attempts=3, backoff=0.1, max_backoff=2.0)

KINDS: tuple[FailureKind, ...] = get_args(FailureKind)


def attempted(
    trouble: Trouble = Trouble.NOT_SENT,
    *,
    number: int = 1,
    call: Literal["read", "write"] = "read",
    repeatable: bool = True,
    sent_before: bool = False,
    retry_after: float = 0.0,
) -> Attempted:
    return Attempted(
        number=number,
        trouble=trouble,
        modifies=call == "write",
        repeatable=repeatable,
        sent_before=sent_before,
        retry_after=retry_after,
    )


# What happened


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_kept_it_from_being_sent_is_not_sent(kind: FailureKind) -> None:
    assert of_failure(kind, written=False) is Trouble.NOT_SENT


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        ("connect", "broken"),
        ("timeout", "timeout"),
        ("reset", "broken"),
        ("protocol", "broken"),
        ("tls", "broken"),
    ],
)
def test_what_failed_after_a_byte_was_written(kind: FailureKind, trouble: str) -> None:
    assert of_failure(kind, written=True) == trouble


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_reply_under_these_statuses_is_unavailable(status: int) -> None:
    assert of_status(status) is Trouble.UNAVAILABLE


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 501, 505])
def test_every_other_reply_is_simply_the_answer(status: int) -> None:
    assert of_status(status) is None


# Who may be repeated


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("sent_before", [True, False])
def test_a_read_may_always_be_repeated(trouble: Trouble, repeatable: bool, sent_before: bool) -> None:
    assert may_repeat(attempted(trouble, repeatable=repeatable, sent_before=sent_before))


@pytest.mark.parametrize(
    ("trouble", "sent_before", "unrecognised", "recognised"),
    [
        pytest.param("not_sent", False, True, True, id="never sent"),
        pytest.param("not_sent", True, False, True, id="refused after a reset"),
        pytest.param("broken", False, False, True, id="reset"),
        pytest.param("broken", True, False, True, id="reset again"),
        pytest.param("timeout", False, False, False, id="timeout"),
        pytest.param("timeout", True, False, False, id="timeout after a reset"),
        pytest.param("unavailable", False, False, False, id="answered with a 503"),
        pytest.param("unavailable", True, False, False, id="answered with a 503 after a reset"),
        pytest.param("token_rejected", False, True, True, id="another token"),
        pytest.param("token_rejected", True, False, False, id="another token after a reset"),
    ],
)
def test_a_write_is_repeated_only_where_it_cannot_run_twice(
    trouble: str, sent_before: bool, unrecognised: bool, recognised: bool
) -> None:
    def repeats(*, repeatable: bool) -> bool:
        return may_repeat(
            attempted(Trouble(trouble), call="write", sent_before=sent_before, repeatable=repeatable)
        )

    assert repeats(repeatable=False) is unrecognised
    assert repeats(repeatable=True) is recognised


events = st.lists(st.sampled_from(Trouble), min_size=1, max_size=8)


@given(events, st.booleans(), st.booleans())
def test_a_write_never_runs_twice_on_a_platform_that_recognises_no_repeat(
    troubles: list[Trouble], repeatable: bool, sent_before: bool
) -> None:
    """A whole flight: one attempt after the other, until the rule stops it."""
    sent = 1 if sent_before else 0
    for number, trouble in enumerate(troubles, start=1):
        before = sent > 0
        if trouble not in (Trouble.NOT_SENT, Trouble.REJECTED):
            sent += 1
        if not may_repeat(
            attempted(trouble, number=number, call="write", repeatable=repeatable, sent_before=before)
        ):
            break
    assert repeatable or sent <= (2 if sent_before else 1)


# When


@pytest.mark.parametrize(
    ("number", "longest"), [(1, 0.1), (2, 0.2), (3, 0.4), (5, 1.6), (6, 2.0), (7, 2.0), (10**6, 2.0)]
)
def test_the_longest_pause_doubles_up_to_a_limit(number: int, longest: float) -> None:
    assert RULE.longest_pause(number) == pytest.approx(longest)


def test_a_backoff_above_the_limit_is_the_limit() -> None:
    assert RetryRule(attempts=3, backoff=5.0, max_backoff=2.0).longest_pause(1) == 2.0


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.0), (0.5, 0.1), (1.0, 0.2)])
def test_the_whole_pause_is_left_to_chance(chance: float, pause: float) -> None:
    found = RULE.next_pause(attempted(number=2), now=0.0, deadline=60.0, chance=chance)
    assert found == pytest.approx(pause)


@pytest.mark.parametrize(("number", "repeated"), [(1, True), (2, True), (3, False), (4, False)])
def test_the_attempts_are_counted_with_the_first(number: int, repeated: bool) -> None:
    pause = RULE.next_pause(attempted(number=number), now=0.0, deadline=60.0, chance=0.0)
    assert (pause is not None) is repeated


def test_one_attempt_means_never_again() -> None:
    once = RetryRule(attempts=1, backoff=0.1, max_backoff=2.0)
    assert once.next_pause(attempted(), now=0.0, deadline=60.0, chance=0.0) is None


def test_what_may_not_be_repeated_has_no_pause() -> None:
    write = attempted(Trouble.TIMEOUT, call="write")
    assert RULE.next_pause(write, now=0.0, deadline=60.0, chance=0.0) is None


@pytest.mark.parametrize(
    ("deadline", "repeated"),
    [
        pytest.param(10.25, True, id="the pause fits"),
        pytest.param(10.125, False, id="it ends at the deadline"),
        pytest.param(10.0, False, id="the time is over"),
    ],
)
def test_a_pause_must_end_before_the_deadline(deadline: float, repeated: bool) -> None:
    rule = RetryRule(attempts=3, backoff=0.125, max_backoff=2.0)
    pause = rule.next_pause(attempted(), now=10.0, deadline=deadline, chance=1.0)
    assert (pause is not None) is repeated


def test_nobody_comes_back_before_the_time_the_platform_asked_for() -> None:
    reply = attempted(Trouble.UNAVAILABLE, retry_after=7.0)
    assert RULE.next_pause(reply, now=0.0, deadline=60.0, chance=0.0) == 7.0
    assert RULE.next_pause(reply, now=0.0, deadline=60.0, chance=1.0) == pytest.approx(7.1)


def test_a_wait_that_does_not_fit_the_deadline_ends_the_attempts() -> None:
    reply = attempted(Trouble.UNAVAILABLE, retry_after=61.0)
    assert RULE.next_pause(reply, now=0.0, deadline=60.0, chance=0.0) is None


@given(
    number=st.integers(1, 5000),
    chance=st.floats(0, 1),
    now=st.floats(0, 1e6),
    left=st.floats(-10, 100),
    retry_after=st.floats(0, 100),
    backoff=st.floats(0.001, 1000),
)
def test_a_pause_is_never_longer_than_it_can_be_nor_past_the_deadline(
    number: int, chance: float, now: float, left: float, retry_after: float, backoff: float
) -> None:
    rule = RetryRule(attempts=10_000, backoff=backoff, max_backoff=2.0)
    reply = attempted(Trouble.UNAVAILABLE, number=number, retry_after=retry_after)
    pause = rule.next_pause(reply, now=now, deadline=now + left, chance=chance)
    if pause is None:
        assert now + retry_after + 2.0 >= now + left
    else:
        assert retry_after <= pause <= retry_after + 2.0
        assert now + pause < now + left


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param(None, 0.0, id="none"),
        pytest.param(b"", 0.0, id="empty"),
        pytest.param(b"0", 0.0, id="zero"),
        pytest.param(b"120", 120.0, id="seconds"),
        pytest.param(b"-5", 0.0, id="negative"),
        pytest.param(b"1.5", 0.0, id="a fraction"),
        pytest.param(b"1e3", 0.0, id="an exponent"),
        pytest.param(b"inf", 0.0, id="a word that floats know"),
        pytest.param("٧".encode(), 0.0, id="a digit of another script"),
        pytest.param(b"Wed, 21 Oct 2026 07:28:00 GMT", 0.0, id="a date"),
        pytest.param(b"9" * 5000, float("inf"), id="far too many digits"),
    ],
)
def test_retry_after_is_read_in_seconds_only(header: bytes | None, seconds: float) -> None:
    assert asked_pause(header) == seconds
