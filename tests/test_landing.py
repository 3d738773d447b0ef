"""gateway.landing: what the end of a flight is for it, and for those who wait in another process."""

import pytest

from gateway.codec.envelope import Envelope
from gateway.codec.negotiation import Format
from gateway.landing import event_of, interrupted, told
from gateway.policy.flight import Ended, Event, Flight, State
from gateway.upstream.client import AttemptError
from gateway.upstream.reply import TOKEN_REJECTED, Reply
from gateway.upstream.sender import Outcome


def reply(code: int = 0) -> Reply:
    return Reply(
        200, b"application/json", b"{}", Format.JSON, Envelope(code=code, is_object=True), False, None
    )


def flight(*, written: bool = False) -> Flight:
    return Flight(State.IN_FLIGHT, "id", b"print", False, b"mark", began=0.0, written=written)


def no_answer(*, written: bool) -> AttemptError:
    return AttemptError("reset", written=written, text="reset")


@pytest.mark.parametrize("code", [0, 404, 500])
def test_an_answer_is_one_whatever_its_code_and_whatever_was_lost_before(code: int) -> None:
    outcome = Outcome(reply=reply(code), lost=True)

    assert event_of(flight(written=True), outcome) is Event.ANSWER


def test_a_call_whose_token_was_rejected_was_not_run() -> None:
    rejected = reply(TOKEN_REJECTED)

    assert event_of(flight(), Outcome(reply=rejected)) is Event.NOTHING_SENT


def test_a_call_of_which_nothing_left_can_be_forgotten() -> None:
    assert event_of(flight(), Outcome(failure=no_answer(written=False))) is Event.NOTHING_SENT


@pytest.mark.parametrize(
    ("written_before", "outcome"),
    [
        (False, Outcome(failure=no_answer(written=True))),
        (False, Outcome(failure=no_answer(written=False), lost=True)),
        (True, Outcome(failure=no_answer(written=False))),
        (False, Outcome(reply=reply(TOKEN_REJECTED), lost=True)),
        (True, Outcome(reply=reply(TOKEN_REJECTED))),
    ],
    ids=[
        "now",
        "by an attempt before",
        "by a flight before",
        "before the token",
        "by a flight, then the token",
    ],
)
def test_what_was_written_without_an_answer_stays_lost(written_before: bool, outcome: Outcome) -> None:
    assert event_of(flight(written=written_before), outcome) is Event.LOST


@pytest.mark.parametrize(("sent", "event"), [(True, Event.LOST), (False, Event.NOTHING_SENT)])
def test_a_call_that_was_ended_from_outside_is_lost_unless_it_was_not_sent(sent: bool, event: Event) -> None:
    assert event_of(flight(), interrupted(sent=sent)) is event


def test_who_waits_in_the_process_that_led_hears_the_outcome_itself() -> None:
    outcome = Outcome(failure=no_answer(written=True), attempts=2)

    assert told(Ended(outcome, unknown=True)) == (outcome, True)


def test_who_waits_in_another_process_hears_the_answer() -> None:
    answer = reply()

    assert told(Ended(answer)) == (Outcome(reply=answer), False)


@pytest.mark.parametrize("unknown", [True, False])
def test_an_end_of_which_nobody_can_say_anything_is_one_with_an_unknown_outcome(unknown: bool) -> None:
    outcome, is_unknown = told(Ended(None, unknown))

    assert is_unknown
    assert outcome.written
    assert event_of(flight(), outcome) is Event.LOST
