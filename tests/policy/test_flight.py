"""gateway.policy.flight: the rules of repeats, walked line by line.

A playbook is a list of lines `event -> what is expected`, in the words of a caller: how it flew, under which
id.
"""

import hashlib
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.model import Replay
from gateway.policy import flight as policy
from gateway.policy.flight import (
    NEXT,
    Again,
    Arrival,
    Event,
    Flight,
    Join,
    Lead,
    Refuse,
    State,
    Windows,
    arrive,
    handed,
    is_last,
    is_spent,
    landed,
    revived,
)

WINDOWS = Windows(owed=300.0, key=80_000.0, unknown=80_000.0)


@dataclass
class Desk:
    """One identity, as a store would keep it, and the moves that a test makes."""

    replay: Replay = Replay.OWED
    keyed: bool = False
    repeatable: bool = True
    token: str = "token-1"
    now: float = 1000.0
    flight: Flight | None = None
    ids: int = 0
    said: list[str] = field(default_factory=list)

    def call(self, fingerprint: bytes = b"f") -> str:
        """An identical call arrives; what becomes of it, as `lead id-1`, `join id-1`, `again id-1`, `refuse
        …`."""
        decision = arrive(self.flight, self._arrival(fingerprint), self.now, WINDOWS)
        match decision:
            case Refuse():
                return f"refuse {decision.reason.value} {decision.request_id}"
            case Lead():
                word = "lead"
            case Join():
                word = "join"
            case Again():
                word = "again"
        self.flight = decision.flight
        return f"{word} {decision.flight.request_id}"

    def lands(self, event: Event, answer: object = "answer") -> None:
        assert self.flight is not None
        self.flight = landed(self.flight, event, self.now, answer if event is Event.ANSWER else None)

    def reaches(self, *callers: bool) -> None:
        """Each caller in turn was handed the answer, or was gone."""
        for reached in callers:
            assert self.flight is not None
            self.flight = handed(self.flight, self.flight.request_id, reached=reached)

    def later(self, seconds: float) -> None:
        self.now += seconds

    def _arrival(self, fingerprint: bytes) -> Arrival:
        def new_id() -> str:
            self.ids += 1
            return "key" if self.keyed else f"id-{self.ids}"

        return Arrival(
            fingerprint=fingerprint,
            keyed=self.keyed,
            replay=self.replay,
            window=None,
            repeatable=self.repeatable,
            new_id=new_id,
            token_mark=lambda request_id: hashlib.blake2b((self.token + request_id).encode()).digest(),
        )


def test_two_honest_identical_calls_that_were_both_answered_are_two() -> None:
    desk = Desk()
    assert desk.call() == "lead id-1"
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    assert desk.call() == "lead id-2"


def test_calls_at_the_same_time_are_one() -> None:
    desk = Desk()
    assert [desk.call() for _ in range(3)] == ["lead id-1", "join id-1", "join id-1"]
    desk.lands(Event.ANSWER)
    desk.reaches(True, True, True)
    assert desk.call() == "lead id-2"


def test_a_caller_that_was_gone_is_owed_the_answer_once() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    desk.reaches(False)
    assert desk.call() == "again id-1"
    desk.reaches(True)
    assert desk.call() == "lead id-2"


def test_a_caller_that_left_early_takes_what_is_owed_by_joining() -> None:
    desk = Desk()
    desk.call()
    desk.reaches(False)
    assert desk.call() == "join id-1"
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    assert desk.call() == "lead id-2"


def test_an_answer_that_misses_its_caller_again_stays_owed() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    for _ in range(3):
        desk.reaches(False)
        assert desk.call() == "again id-1"


def test_five_callers_told_unknown_and_five_repeats_are_one_execution() -> None:
    desk = Desk()
    assert [desk.call() for _ in range(5)] == ["lead id-1", *["join id-1"] * 4]
    desk.lands(Event.LOST)
    assert desk.call() == "lead id-1"
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    for _ in range(4):
        assert desk.call() == "again id-1"
        desk.reaches(True)
    assert desk.call() == "lead id-2"


def test_when_nothing_was_sent_the_next_call_is_a_new_one() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.NOTHING_SENT)
    assert desk.flight is None
    assert desk.call() == "lead id-2"


def test_a_reset_then_a_refused_connection_leaves_the_first_id_in_force() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.LOST)
    assert desk.call() == "lead id-1"
    desk.lands(Event.NOTHING_SENT)
    assert desk.call() == "lead id-1"


@pytest.mark.parametrize("change", [{"token": "token-2"}, {"repeatable": False}], ids=str)
def test_an_unknown_call_is_not_sent_again_where_the_platform_would_not_know_it(
    change: dict[str, object],
) -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.LOST)
    for name, value in change.items():
        setattr(desk, name, value)
    assert desk.call() == "refuse outcome_unknown id-1"


def test_a_key_replays_to_every_repeat_for_its_window_and_not_longer() -> None:
    desk = Desk(keyed=True)
    assert desk.call() == "lead key"
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    for _ in range(3):
        desk.later(20_000)
        assert desk.call() == "again key"
        desk.reaches(True)
    desk.later(20_001)
    assert desk.call() == "lead key"


@pytest.mark.parametrize("event", [None, Event.ANSWER, Event.LOST])
def test_a_key_with_another_call_is_refused_whatever_became_of_the_first(event: Event | None) -> None:
    desk = Desk(keyed=True)
    desk.call()
    if event:
        desk.lands(event)
    assert desk.call(b"other") == "refuse key_reused key"


def test_an_answer_that_there_was_no_room_for_is_asked_for_again_under_the_same_id() -> None:
    desk = Desk(keyed=True)
    desk.call()
    desk.lands(Event.ANSWER, answer=None)
    desk.reaches(True)
    assert desk.call() == "lead key"
    desk.lands(Event.ANSWER)
    desk.repeatable = False
    desk.flight = msgspec.structs.replace(desk.flight, answer=None) if desk.flight else None
    assert desk.call() == "refuse answer_gone key"


def test_replay_always_gives_every_repeat_the_answer_within_the_window() -> None:
    desk = Desk(replay=Replay.ALWAYS)
    desk.call()
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    assert desk.call() == "again id-1"
    desk.later(301)
    assert desk.call() == "lead id-2"


def test_replay_never_joins_and_owes_nothing() -> None:
    desk = Desk(replay=Replay.NEVER)
    assert [desk.call(), desk.call()] == ["lead id-1", "join id-1"]
    desk.lands(Event.ANSWER)
    desk.reaches(False, False)
    assert desk.call() == "lead id-2"


def test_what_is_owed_is_forgotten_after_its_window() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    desk.reaches(False)
    desk.later(299)
    assert desk.call() == "again id-1"
    desk.reaches(False)
    desk.later(2)
    assert desk.call() == "lead id-2"


def test_a_flight_that_is_out_is_never_forgotten() -> None:
    desk = Desk()
    desk.call()
    desk.later(10**9)
    assert desk.call() == "join id-1"


def test_after_a_crash_a_flight_that_was_out_is_unknown_and_owed_to_everybody() -> None:
    desk = Desk()
    desk.call()
    assert desk.flight is not None
    desk.flight = revived(desk.flight)
    assert desk.call() == "lead id-1"
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    assert [desk.call(), desk.call()] == ["again id-1", "again id-1"]


def test_after_a_crash_an_answer_that_everybody_had_is_not_owed() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    desk.reaches(True)
    assert desk.flight is not None
    desk.flight = revived(desk.flight)
    assert desk.call() == "lead id-2"


def test_what_a_late_caller_of_a_replaced_flight_missed_is_owed_by_the_new_one() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    assert desk.call() == "lead id-2"
    assert desk.flight is not None
    desk.flight = handed(desk.flight, "id-1", reached=False)
    assert (desk.flight.owed, desk.flight.pending) == (1, 1)


def test_only_a_flight_that_nobody_can_ask_for_is_forgotten_early() -> None:
    desk = Desk()
    desk.call()
    desk.lands(Event.ANSWER)
    assert desk.flight is not None
    assert not is_spent(desk.flight, Replay.OWED)
    desk.reaches(True)
    assert is_spent(desk.flight, Replay.OWED)
    assert not is_spent(desk.flight, Replay.ALWAYS)
    assert not is_spent(msgspec.structs.replace(desk.flight, keyed=True), Replay.OWED)
    assert not is_spent(msgspec.structs.replace(desk.flight, owed=1), Replay.OWED)


@given(
    flight=st.builds(
        Flight,
        state=st.sampled_from([State.IN_FLIGHT, State.ANSWERED, State.UNKNOWN]),
        request_id=st.sampled_from(["id-1", "id-2"]),
        fingerprint=st.just(b"f"),
        keyed=st.booleans(),
        token_mark=st.just(b""),
        began=st.just(1.0),
        pending=st.integers(0, 2),
        owed=st.integers(0, 1),
        owed_to_all=st.booleans(),
    ),
    replay=st.sampled_from(Replay),
)
def test_the_last_caller_is_the_one_after_whom_nothing_is_left(flight: Flight, replay: Replay) -> None:
    after = handed(flight, "id-1", reached=True)
    assert is_last(flight, "id-1", replay) <= is_spent(after, replay)
    if flight.pending and flight.request_id == "id-1":
        assert is_last(flight, "id-1", replay) == is_spent(after, replay)


@pytest.mark.parametrize(
    ("state", "event"),
    [(state, event) for state in State for event in Event if (state, event) not in NEXT],
)
def test_what_cannot_happen_is_an_error(state: State, event: Event) -> None:
    if event not in (Event.ANSWER, Event.NOTHING_SENT, Event.LOST) or state is State.ABSENT:
        assert (state, event) not in policy.NEXT
        return
    flight = Flight(state, "id", b"f", keyed=False, token_mark=b"", began=0.0)
    with pytest.raises(KeyError):
        landed(flight, event, 1.0)


moves = st.lists(
    st.sampled_from(["call", "answer", "lost", "nothing", "handed", "gone", "time"]), min_size=1, max_size=40
)


@given(moves, st.booleans(), st.sampled_from(list(Replay)))
def test_no_walk_sends_a_call_anew_while_its_outcome_is_open(
    walk: list[str], keyed: bool, replay: Replay
) -> None:
    desk, last_id, is_open = Desk(replay=replay, keyed=keyed), "", False
    for move in walk:
        out = desk.flight is not None and desk.flight.state is State.IN_FLIGHT
        match move:
            case "call":
                word, request_id = desk.call().split(" ")[0], desk.flight.request_id if desk.flight else ""
                if is_open and word == "lead":
                    assert request_id == last_id, "a call that may have run was sent under another id"
                last_id, is_open = request_id, is_open or word == "lead"
            case "answer" if out:
                desk.lands(Event.ANSWER)
                is_open = False
            case "lost" if out:
                desk.lands(Event.LOST)
            case "nothing" if out:
                desk.lands(Event.NOTHING_SENT)
                is_open = desk.flight is not None
            case "handed" | "gone" if desk.flight is not None and desk.flight.pending:
                desk.reaches(move == "handed")
            case "time":
                desk.later(100)
