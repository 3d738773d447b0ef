"""Every guard between a call and the platform is reached over real sockets, and seen in the metrics: breaker,
retry budget, time limits, queue."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.clock import Clock
from tests.e2e.conftest import GatewayWith
from tests.e2e.keeping import CACHE, GET, ask, jim, name_jim, rule, said, times_asked
from tests.e2e.scraping import counting, scrape_used
from tests.e2e.waiting import until

MIN_CALLS = 4
BREAKER = {"failure_ratio": 0.5, "min_calls": MIN_CALLS, "window": "10s", "open_for": "5s"}
ONE_CALL_EACH = {"keepalive": "0s"}
"""Connections are not used again: a read that is reset on an old one is asked again by the transport."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


def breaker_state(caller: Caller) -> str:
    page = scrape_used(caller)
    states = ["closed", "open", "half_open"]
    (state,) = [name for name in states if page.value("gateway_breaker_state", account="default", state=name)]
    return state


def trip(caller: Caller, sandbox: Sandbox) -> None:
    """Let reads fail until the breaker has had enough. They are not of Jim."""
    sandbox.faults.add(Fault(Kind.RESET, "databases/get", count=None))
    for number in range(MIN_CALLS):
        if breaker_state(caller) == "closed":
            assert caller.json("databases/get", id=number).status == 502
    assert breaker_state(caller) == "open"
    sandbox.faults.clear()
    sandbox.calls.clear()


# The breaker.


def test_the_breaker_opens_refuses_probes_and_closes(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(clock=clock, upstream={"breaker": BREAKER, **ONE_CALL_EACH})
    assert breaker_state(caller) == "closed"
    trip(caller, sandbox)
    assert breaker_state(caller) == "open"
    with counting(caller) as changes:
        refused = caller.json("databases/get", id=1)
    assert (refused.status, refused.error, refused.header("retry-after")) == (503, 503, "5")
    assert refused.error_text.endswith("left alone for a while; nothing was sent")
    assert changes.requests == {("databases/get", "503", "gateway"): 1}
    assert changes.of("gateway_upstream_requests_total", "api_method", "code") == {}
    assert not list(sandbox.calls)

    clock.at(5)
    assert breaker_state(caller) == "half_open"
    sandbox.faults.add(Fault(Kind.RESET))
    assert caller.json("databases/get", id=1).status == 502, "the probe fails"
    assert breaker_state(caller) == "open"
    clock.at(10)
    assert caller.json("databases/get", id=1).error == 0, "the probe is answered"
    assert breaker_state(caller) == "closed"


def test_half_open_one_call_probes_and_the_others_are_refused(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(clock=clock, upstream={"breaker": BREAKER, **ONE_CALL_EACH})
    trip(caller, sandbox)
    clock.at(5)
    sandbox.faults.add(Fault(Kind.STALL))
    with ThreadPoolExecutor(1) as other:
        probe = other.submit(caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        assert caller.json("databases/get", id=2).status == 503
        sandbox.faults.release()
        assert probe.result(PATIENCE).error == 0
    assert caller.json("databases/get", id=2).error == 0


def test_while_the_breaker_is_open_reads_are_answered_stale_for_as_long_as_promised(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(
        clock=clock,
        cache=CACHE,
        upstream={"breaker": {**BREAKER, "open_for": "1h"}, **ONE_CALL_EACH},
        methods=rule(stale_if_error="5m"),
    )
    name_jim(caller, "Jim")
    ask(caller)
    trip(caller, sandbox)
    assert said(ask(caller)) == ("hit; ttl=60", "0"), "what is fresh needs no platform"
    with counting(caller) as changes:
        for age in (60, 359):
            clock.at(age)
            assert said(reply := ask(caller)) == (f"hit; ttl={60 - age}; detail=stale-if-error", str(age))
            assert jim(reply) == "Jim"
    assert changes.requests == {(GET, "0", "stale"): 2}
    clock.at(360)
    assert ask(caller).status == 503
    assert times_asked(sandbox) == 0


def test_a_write_is_refused_while_the_breaker_is_open_and_takes_nothing_else_with_it(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    caller = gateway_with(clock=clock, upstream={"breaker": BREAKER, **ONE_CALL_EACH})
    trip(caller, sandbox)
    with counting(caller) as changes:
        assert caller.json("profiles/import", db_id=1, email="jim@example.com", data={}).status == 503
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {
        ("profiles/import", "not_sent"): 1
    }
    assert not list(sandbox.calls)


def test_errors_of_the_platform_open_no_breaker(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(upstream={"breaker": BREAKER})
    sandbox.faults.add(Fault(Kind.ERROR, count=None, code=500))
    assert {caller.json("databases/get", id=number).error for number in range(10)} == {500}
    assert breaker_state(caller) == "closed"


# Retries.


def test_a_read_is_tried_as_often_as_is_allowed(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(upstream={"retries": {"attempts": 3, "backoff": "1ms"}, **ONE_CALL_EACH})
    sandbox.faults.add(Fault(Kind.RESET, count=2))
    with counting(caller) as changes:
        assert caller.json("databases/get", id=1).error == 0
    assert changes.of("gateway_retries_total", "api_method", "reason") == {("databases/get", "broken"): 2}
    assert changes.of("gateway_upstream_errors_total", "account", "kind") == {("default", "reset"): 2}
    assert changes.of("gateway_upstream_requests_total", "api_method", "code") == {
        ("databases/get", "none"): 2,
        ("databases/get", "0"): 1,
    }


def test_when_the_budget_is_spent_calls_fail_at_their_first_attempt_and_in_time_it_is_back(
    gateway_with: GatewayWith, clock: Clock, sandbox: Sandbox
) -> None:
    """Ten in ten seconds whatever the share says; the eleventh would be more than a tenth of the calls."""
    retries = {"attempts": 3, "backoff": "1ms", "budget": 0.1}
    caller = gateway_with(clock=clock, upstream={"retries": retries, **ONE_CALL_EACH})
    sandbox.faults.add(Fault(Kind.RESET, count=None))
    with counting(caller) as changes:
        for number in range(20):
            assert caller.json("databases/get", id=number).status == 502
    assert changes.of("gateway_retries_total", "api_method", "reason") == {("databases/get", "broken"): 10}
    assert len(sandbox.calls) == 30
    clock.at(20)
    with counting(caller) as changes:
        assert caller.json("databases/get", id=1).status == 502
    assert changes.of("gateway_retries_total", "api_method", "reason") == {("databases/get", "broken"): 2}


# Time limits. Those of the connection and of the first byte are in test_platform_failures, a caller's slow
# body in test_bad_input.


@pytest.mark.parametrize("api_method", ["databases/get", "profiles/import"])
def test_a_call_that_takes_longer_than_its_total_is_ended(
    gateway_with: GatewayWith, sandbox: Sandbox, api_method: str
) -> None:
    caller = gateway_with(upstream={"timeouts": {"first_byte": "30s", "total": "200ms"}})
    sandbox.faults.add(Fault(Kind.STALL))
    with counting(caller) as changes:
        late = caller.json(api_method, id=1, db_id=1, email="jim@example.com", data={})
    assert (late.status, late.header("proxy-status")) == (504, "gateway; error=http_response_timeout")
    assert changes.requests == {(api_method, "504", "gateway"): 1}
    assert changes.of("gateway_upstream_errors_total", "account", "kind") == {("default", "timeout"): 1}


def test_an_answer_that_begins_in_time_and_never_ends_is_ended_by_the_total(
    gateway_with: GatewayWith,
) -> None:
    with dripping() as base_url:
        limits = {"timeouts": {"first_byte": "30s", "total": "300ms"}}
        caller = gateway_with(upstream={"base_url": base_url, **limits})
        with counting(caller) as changes:
            late = caller.json("databases/get", id=1)
        assert late.status == 504
        assert changes.of("gateway_upstream_errors_total", "account", "kind") == {("default", "timeout"): 1}


def test_retries_end_with_the_calls_time(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    """The pause before the next attempt would be longer than what is left."""
    upstream: dict[str, Any] = {
        "retries": {"attempts": 100, "backoff": "50ms", "max_backoff": "50ms", "budget": 1.0},
        "timeouts": {"total": "400ms"},
        **ONE_CALL_EACH,
    }
    caller = gateway_with(upstream=upstream)
    sandbox.faults.add(Fault(Kind.RESET, count=None))
    assert caller.json("databases/get", id=1).status in (502, 504)
    assert 1 < len(sandbox.calls) < 100


# The queue.


def test_waiting_calls_and_refused_ones_are_seen(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(upstream={"max_connections": 1}, limits={"max_queued": 2, "queue_timeout": "1m"})
    sandbox.faults.add(Fault(Kind.STALL))
    with ThreadPoolExecutor(3) as pool, counting(caller) as changes:
        first = pool.submit(caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        waiting = [pool.submit(caller.json, "databases/get", id=number) for number in (2, 3)]
        until(lambda: scrape_used(caller).value("gateway_requests_queued") == 2, "two wait")
        refused = caller.json("databases/get", id=4)
        assert (refused.status, refused.header("retry-after")) == (503, "1")
        sandbox.faults.release()
        assert {call.result(PATIENCE).error for call in [first, *waiting]} == {0}
    assert changes.requests == {
        ("databases/get", "0", "upstream"): 3,
        ("databases/get", "503", "gateway"): 1,
    }
    assert scrape_used(caller).value("gateway_requests_queued") == 0


def test_who_waits_too_long_in_the_queue_is_counted_as_refused(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"max_connections": 1}, limits={"queue_timeout": "50ms"})
    sandbox.faults.add(Fault(Kind.STALL))
    with ThreadPoolExecutor(1) as pool, counting(caller) as changes:
        first = pool.submit(caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        assert caller.json("databases/get", id=2).status == 503
        sandbox.faults.release()
        assert first.result(PATIENCE).error == 0
    assert changes.requests == {
        ("databases/get", "0", "upstream"): 1,
        ("databases/get", "503", "gateway"): 1,
    }
    assert changes.of("gateway_upstream_requests_total", "api_method", "code") == {("databases/get", "0"): 1}


@contextmanager
def dripping() -> Iterator[str]:
    """A platform that answers one call with the beginning of an answer, and then a byte now and then."""
    reply = json.dumps({"error": 0, "error_text": ""}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        len(reply) + 9999
    )
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(head + reply)
            while not over.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        dripped = pool.submit(drip, listener)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1.1"
        finally:
            over.set()
            dripped.result(PATIENCE)
