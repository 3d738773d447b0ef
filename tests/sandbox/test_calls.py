import pytest

from gateway.sandbox.calls import Calls, Fate, Incoming


def incoming(api_method: str = "profiles/add", body: bytes = b"{}") -> Incoming:
    return Incoming(api_method, b"/", (), (("a", "1"), ("a", "2")), body, "http://x")


def test_a_call_is_numbered_and_its_fate_noted() -> None:
    calls = Calls()
    number = calls.receive(incoming(), "sum", "r1")
    calls.admit(number, {"db_id": 1}, "app", ("body",))
    calls.finish(number, Fate.EXECUTED, 0)
    (call,) = calls.executed("profiles/add")
    assert (call.sequence, call.request_id, call.params, call.code) == (1, "r1", {"db_id": 1}, 0)


def test_only_executed_calls_count_as_executed() -> None:
    calls = Calls()
    for fate in Fate:
        calls.finish(calls.receive(incoming(), "sum", None), fate, None)
    assert [call.fate for call in calls.executed("profiles/add")] == [Fate.EXECUTED]
    assert len(calls.of("profiles/add")) == len(Fate)


def test_of_a_repeated_header_the_first_counts() -> None:
    assert incoming().header("a") == "1"
    assert incoming().header("b") is None


def test_the_oldest_calls_and_long_bodies_are_let_go() -> None:
    calls = Calls()
    for _ in range(1001):
        number = calls.receive(incoming(body=b"x" * 70_000), "sum", None)
    calls.finish(1, Fate.EXECUTED, 0)
    assert (number, len(calls), next(iter(calls)).sequence) == (1001, 1000, 2)
    assert len(next(iter(calls)).incoming.body) == 65536


@pytest.mark.parametrize("before", [0, 1, 2], ids=["asked before", "asked between", "asked after"])
def test_an_arrival_can_be_awaited(before: int) -> None:
    calls = Calls()
    for _ in range(before):
        calls.announce()
    arrived = calls.arrived(2)
    assert arrived.done() is (before == 2)
    for _ in range(2 - before):
        calls.announce()
    assert arrived.done()


def test_a_reset_counts_arrivals_from_the_start() -> None:
    calls = Calls()
    calls.announce()
    calls.clear()
    assert not calls.arrived(1).done()


def test_a_call_that_outlives_a_reset_is_not_taken_for_a_new_one() -> None:
    calls = Calls()
    old = calls.receive(incoming(), "sum", None)
    calls.clear()
    calls.receive(incoming("profiles/get"), "sum", None)
    calls.finish(old, Fate.DROPPED, None)
    assert [(call.api_method, call.fate) for call in calls] == [("profiles/get", Fate.RUNNING)]
