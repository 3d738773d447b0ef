"""A caller that leaves takes nothing with it: the flight goes on, and one identical call is owed
the answer."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, JIM, at_once, ids_of, role, sent, times_run, wait_for_calls
from tests.e2e.scraping import scrape_used
from tests.e2e.waiting import until


@pytest.fixture
def caller(gateway_with: GatewayWith) -> Caller:
    return gateway_with(dedup=DEDUP)


def wait_until_done(caller: Caller) -> None:
    until(lambda: not scrape_used(caller).value("gateway_requests_in_progress"), "every call has ended")


@pytest.mark.parametrize("when", list(When))
def test_when_the_leaders_caller_leaves_its_followers_are_answered(
    caller: Caller, sandbox: Sandbox, when: When
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, when))
    with ThreadPoolExecutor(3) as pool:
        with sent(caller, IMPORT, **JIM):
            sandbox.calls.arrived(1).result(PATIENCE)
            followers = [pool.submit(caller.json, IMPORT, **JIM) for _ in range(3)]
            wait_for_calls(caller, 4)
        sandbox.faults.release()
        assert [role(follower.result(PATIENCE)) for follower in followers] == ["joined"] * 3
    assert times_run(sandbox) == 1
    assert role(caller.json(IMPORT, **JIM)) == "replayed"
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 2


@pytest.mark.parametrize("when", list(When))
def test_a_retry_in_time_joins_and_the_call_after_it_is_a_new_one(
    caller: Caller, sandbox: Sandbox, when: When
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, when))
    with sent(caller, IMPORT, **JIM):
        sandbox.calls.arrived(1).result(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        retry = pool.submit(caller.json, IMPORT, **JIM)
        wait_for_calls(caller, 2)
        sandbox.faults.release()
        assert role(retry.result(PATIENCE)) == "joined"
    assert times_run(sandbox) == 1
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 2


@pytest.mark.parametrize("when", list(When))
def test_a_retry_after_the_answer_gets_it_and_the_call_after_it_is_a_new_one(
    caller: Caller, sandbox: Sandbox, when: When
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT, when))
    with sent(caller, IMPORT, **JIM):
        sandbox.calls.arrived(1).result(PATIENCE)
    sandbox.faults.release()
    wait_until_done(caller)
    assert role(caller.json(IMPORT, **JIM)) == "replayed"
    assert role(caller.json(IMPORT, **JIM)) == "led"
    assert times_run(sandbox) == 2
    assert len(set(ids_of(sandbox))) == 2


def test_a_chain_of_impatient_retries_is_one_call(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    for number in range(1, 6):
        with sent(caller, IMPORT, **JIM):
            wait_for_calls(caller, number)
    sandbox.calls.arrived(1).result(PATIENCE)
    sandbox.faults.release()
    wait_until_done(caller)
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(2)] == ["replayed", "led"]
    assert times_run(sandbox) == 2


def test_as_many_answers_are_owed_as_callers_left(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with ExitStack() as stack:
        for number in range(1, 6):
            stack.enter_context(sent(caller, IMPORT, **JIM))
            wait_for_calls(caller, number)
    sandbox.calls.arrived(1).result(PATIENCE)
    sandbox.faults.release()
    wait_until_done(caller)
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(6)] == ["replayed"] * 5 + ["led"]


def test_a_half_closed_connection_counts_as_gone(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with ThreadPoolExecutor(1) as pool, caller.connected() as connection:
        first = pool.submit(half_closed, connection, caller)
        sandbox.calls.arrived(1).result(PATIENCE)
        sandbox.faults.release()
        assert first.result(PATIENCE) == b""
    wait_until_done(caller)
    assert role(caller.json(IMPORT, **JIM)) == "replayed"


def half_closed(connection: socket.socket, caller: Caller) -> bytes:
    """Call, say that nothing more will be sent, and read what comes."""
    body = b'{"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}}'
    head = f"POST {caller.base_path}{IMPORT} HTTP/1.1\r\nHost: {caller.authority}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    connection.shutdown(socket.SHUT_WR)
    return connection.recv(1)


def test_a_caller_that_left_before_its_call_was_whole_is_owed_nothing(
    caller: Caller, sandbox: Sandbox
) -> None:
    with caller.connected() as connection:
        connection.sendall(
            f"POST {caller.base_path}{IMPORT} HTTP/1.1\r\nHost: {caller.authority}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        wait_for_calls(caller, 1)
    wait_until_done(caller)
    assert not list(sandbox.calls)
    assert role(caller.json(IMPORT, **JIM)) == "led"


def test_a_follower_that_leaves_is_owed_the_answer_too(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with at_once(caller, sandbox, [partial(caller.json, IMPORT, **JIM)]) as leader:
        with sent(caller, IMPORT, **JIM):
            wait_for_calls(caller, 2)
        sandbox.faults.release()
        assert role(leader[0].result(PATIENCE)) == "led"
    wait_until_done(caller)
    assert [role(caller.json(IMPORT, **JIM)) for _ in range(2)] == ["replayed", "led"]
    assert times_run(sandbox) == 2
