"""The list of faults: which strikes, how often, and what it leaves of an answer. The wire is in test_wire."""

import zlib

import pytest

from gateway.sandbox.faults import Fault, Faults, Kind, When, instead_of
from gateway.sandbox.replies import Answer, Raw, Reply

REPLY = Reply({"error": 0, "error_text": "fine"})


def test_a_fault_strikes_as_often_as_its_count() -> None:
    faults = Faults()
    faults.add(Fault(Kind.RESET, count=2))
    struck = [faults.take("profiles/get") is not None for _ in range(3)]
    assert struck == [True, True, False]


def test_a_fault_without_a_count_stays_until_it_is_cleared() -> None:
    faults = Faults()
    faults.add(Fault(Kind.RESET, count=None))
    assert all(faults.take("profiles/get") for _ in range(5))
    faults.clear()
    assert faults.take("profiles/get") is None


def test_a_fault_strikes_only_its_method() -> None:
    faults = Faults()
    faults.add(Fault(Kind.RESET, "profiles/add"))
    assert faults.take("profiles/get") is None
    assert faults.take("profiles/add") is not None


def test_the_oldest_fault_strikes_first() -> None:
    faults = Faults()
    faults.add(Fault(Kind.RESET), Fault(Kind.HTML))
    taken = [faults.take("x"), faults.take("x")]
    assert [strike.fault.kind for strike in taken if strike] == [Kind.RESET, Kind.HTML]


def test_what_is_left_of_a_fault_is_shown() -> None:
    faults = Faults()
    faults.add(Fault(Kind.RESET, count=3))
    faults.take("x")
    assert list(faults) == [Fault(Kind.RESET, count=2)]


def test_a_refusal_is_for_connections_and_not_for_calls() -> None:
    faults = Faults()
    faults.add(Fault(Kind.REFUSE))
    assert faults.take("x") is None
    assert [faults.take_refusal(), faults.take_refusal()] == [True, False]


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        (Kind.RESET, When.BEFORE),
        (Kind.TOO_SHORT, When.AFTER),
        (Kind.ECHO, When.AFTER),
        (Kind.ERROR, When.BEFORE),
    ],
)
def test_when_a_fault_happens_unless_told(kind: Kind, moment: When) -> None:
    assert Fault(kind).moment is moment


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="before the call only"):
        Fault(Kind.ERROR, when=When.AFTER)
    with pytest.raises(ValueError, match="after the call only"):
        Fault(Kind.TOO_LONG, when=When.BEFORE)
    with pytest.raises(ValueError, match="no method yet"):
        Fault(Kind.REFUSE, "profiles/add")
    with pytest.raises(ValueError, match="count"):
        Fault(Kind.RESET, count=0)
    with pytest.raises(ValueError, match="999"):
        Fault(Kind.ERROR, code=999)


@pytest.mark.parametrize(
    ("kind", "length"), [(Kind.TOO_SHORT, 31 + 64), (Kind.TOO_LONG, 31 - 8)], ids=["too short", "too long"]
)
def test_a_wrong_content_length(kind: Kind, length: int) -> None:
    raw = instead_of(REPLY, Fault(kind), "T")
    assert isinstance(raw, Raw)
    head, body = raw.data.split(b"\r\n\r\n", 1)
    assert body == b'{"error":0,"error_text":"fine"}'
    assert f"content-length: {length}".encode() in head.split(b"\r\n")


def test_an_echo_puts_the_token_into_the_text() -> None:
    answer = instead_of(REPLY, Fault(Kind.ECHO), "T-123")
    assert isinstance(answer, Answer)
    assert answer.body == b'{"error":0,"error_text":"fine (token T-123)"}'


def test_a_bomb_is_a_small_body_that_stands_for_a_huge_one() -> None:
    answer = instead_of(None, Fault(Kind.BOMB), "T")
    assert isinstance(answer, Answer)
    assert len(answer.body) < 200_000
    assert zlib.decompressobj(31).decompress(answer.body, 10) == b'{"error": '


def test_the_stalled_calls_of_one_method_are_released_alone() -> None:
    faults = Faults()
    faults.add(Fault(Kind.STALL, count=2))
    read, write = faults.take("profiles/get"), faults.take("profiles/import")
    assert read is not None
    assert write is not None
    faults.release("profiles/import")
    assert (read.released.done(), write.released.result(0)) == (False, True)
    faults.release()
    assert read.released.result(0) is True


def test_a_released_stall_goes_on_and_a_cleared_one_ends() -> None:
    faults = Faults()
    faults.add(Fault(Kind.STALL, count=2))
    first = faults.take("x")
    assert first is not None
    faults.release()
    second = faults.take("x")
    assert second is not None
    faults.clear()
    assert (first.released.result(0), second.released.result(0)) == (True, False)
