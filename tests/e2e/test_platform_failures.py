"""When the platform fails, the caller learns what is certain: that nothing was sent, or that the outcome is
unknown, and under which Request-ID to ask again."""

import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import trustme

from gateway.catalogue.model import Catalogue
from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, XML, Caller, Reply
from tests.e2e.conftest import ENVIRON, GatewayWith, Platform, settings_for
from tests.e2e.inthread import RunningGateway, running_gateway
from tests.e2e.scraping import counting
from tests.e2e.waiting import until

WRITE = {"db_id": 1, "email": "jim@example.com", "data": {"_fname": "Jim"}}
UNKNOWN = "; the outcome is unknown, repeating is safe with the same Request-ID"
NOT_SENT = "; nothing was sent, repeating is safe"


@dataclass(frozen=True)
class Failure:
    """A fault of the platform and what the caller is told: status and code, Proxy-Status, kind, text."""

    fault: Fault
    status: int
    proxy_error: str
    kind: str
    text: str


def always(kind: Kind, when: When | None = None, status: int = 502) -> Fault:
    return Fault(kind, when=when, status=status, count=None)


RESET = "the platform closed the connection"
LATE = "the platform did not answer in time"
NO_HTTP = "the platform's answer was not proper HTTP"
CUT = "what came back is neither JSON nor XML (HTTP %d)"
HTML = "a front server of the platform answered with an HTML page (HTTP %d)"

FAILURES = {
    "a reset before it ran": Failure(always(Kind.RESET), 502, "connection_terminated", "reset", RESET),
    "a reset after it ran": Failure(
        always(Kind.RESET, When.AFTER), 502, "connection_terminated", "reset", RESET
    ),
    "no answer before it ran": Failure(always(Kind.STALL), 504, "http_response_timeout", "timeout", LATE),
    "no answer after it ran": Failure(
        always(Kind.STALL, When.AFTER), 504, "http_response_timeout", "timeout", LATE
    ),
    "HTML with 502": Failure(always(Kind.HTML), 502, "http_protocol_error", "protocol", HTML % 502),
    "HTML with 200": Failure(
        always(Kind.HTML, status=200), 502, "http_protocol_error", "protocol", HTML % 200
    ),
    "garbage": Failure(always(Kind.GARBAGE), 502, "http_protocol_error", "protocol", NO_HTTP),
    "an answer cut short": Failure(always(Kind.TOO_SHORT), 502, "connection_terminated", "reset", RESET),
    "an answer longer than said": Failure(
        always(Kind.TOO_LONG), 502, "http_protocol_error", "protocol", CUT % 200
    ),
}


@pytest.fixture(scope="module")
def _impatient(shared_platform: Platform, catalogue: Catalogue) -> Iterator[RunningGateway]:
    """A gateway that waits for a second only."""
    settings = settings_for(shared_platform.base_url, upstream={"timeouts": {"first_byte": "1s"}})
    with running_gateway(settings, ENVIRON, catalogue) as gateway:
        yield gateway


@pytest.fixture
def caller(platform: Platform, _impatient: RunningGateway) -> Iterator[Caller]:
    yield _impatient.caller
    platform.sandbox.faults.clear()
    _impatient.assert_idle()


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_write_that_was_sent_and_not_answered_has_an_unknown_outcome(
    caller: Caller, sandbox: Sandbox, failure: Failure, accept: str
) -> None:
    sandbox.faults.add(failure.fault)
    with counting(caller) as changes:
        reply = caller.json("profiles/import", ("Accept", accept), **WRITE)
    assert_told(reply, failure.status, failure.proxy_error, failure.text + UNKNOWN)
    assert (reply.header("content-type") or "").startswith(accept)
    assert {call.request_id for call in sandbox.calls} == {reply.header("request-id")}
    assert changes.requests == {("profiles/import", str(failure.status), "gateway"): 1}
    assert set(changes.of("gateway_upstream_errors_total", "account", "kind")) == {("default", failure.kind)}
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {
        ("profiles/import", "unknown"): 1
    }


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_read_that_was_not_answered_is_no_riddle(
    caller: Caller, sandbox: Sandbox, failure: Failure
) -> None:
    sandbox.faults.add(failure.fault)
    with counting(caller) as changes:
        reply = caller.json("databases/get", id=1)
    assert_told(reply, failure.status, failure.proxy_error, failure.text)
    assert changes.requests == {("databases/get", str(failure.status), "gateway"): 1}
    assert set(changes.of("gateway_upstream_errors_total", "account", "kind")) == {("default", failure.kind)}


def test_repeated_under_the_id_that_it_was_told_a_write_runs_once(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.RESET, when=When.AFTER, count=None))
    failed = caller.json("profiles/import", **WRITE)
    sandbox.faults.clear()
    repeated = caller.json("profiles/import", ("Request-ID", failed.header("request-id") or ""), **WRITE)
    assert (repeated.error, repeated.header("duplicate-request")) == (0, "true")
    assert len(sandbox.calls.executed("profiles/import")) == 1


def test_where_the_platform_knows_no_repeats_repeating_is_not_called_safe(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"request_id_header": None})
    sandbox.faults.add(always(Kind.RESET, When.AFTER))
    reply = caller.json("profiles/import", **WRITE)
    unsafe = "; the outcome is unknown, the platform does not recognise repeats: check before repeating"
    assert_told(reply, 502, "connection_terminated", RESET + unsafe)
    (call,) = sandbox.calls
    assert call.request_id is None


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize("api_method", ["profiles/import", "databases/get"])
def test_where_nobody_listens_nothing_was_sent(
    gateway_with: GatewayWith, api_method: str, accept: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caller = gateway_with(upstream={"base_url": f"http://127.0.0.1:{port}/api/v1.1"})
    with counting(caller) as changes:
        reply = caller.json(api_method, ("Accept", accept), **WRITE)
    assert_told(reply, 502, "destination_unavailable", "the platform cannot be reached" + NOT_SENT)
    assert set(changes.of("gateway_upstream_errors_total", "account", "kind")) == {("default", "connect")}
    assert changes.requests == {(api_method, "502", "gateway"): 1}


def test_a_connection_cut_before_anything_was_read_is_told_one_way_or_the_other(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    """Whether a byte was written before the cut is a race; what is said of it has to fit what is counted."""
    caller = gateway_with()
    sandbox.faults.add(always(Kind.REFUSE))
    with counting(caller) as changes:
        reply = caller.json("profiles/import", **WRITE)
    (outcome,) = changes.of("gateway_flight_outcomes_total", "api_method", "outcome")
    assert reply.status == 502
    assert reply.error_text.endswith({"unknown": UNKNOWN, "not_sent": NOT_SENT}[outcome[1]])
    assert not list(sandbox.calls)


def test_where_nobody_accepts_in_time_nothing_was_sent(gateway_with: GatewayWith) -> None:
    with nobody_accepting() as port:
        caller = gateway_with(
            upstream={"base_url": f"http://127.0.0.1:{port}/api/v1.1", "timeouts": {"connect": "100ms"}}
        )
        with counting(caller) as changes:
            reply = caller.json("profiles/import", **WRITE)
    assert_told(reply, 504, "connection_timeout", LATE + NOT_SENT)
    assert set(changes.of("gateway_upstream_errors_total", "account", "kind")) == {("default", "timeout")}
    assert changes.of("gateway_flight_outcomes_total", "api_method", "outcome") == {
        ("profiles/import", "not_sent"): 1
    }


def test_to_a_platform_with_a_certificate_of_nobody_nothing_is_sent(gateway_with: GatewayWith) -> None:
    with stranger_with_tls() as port:
        caller = gateway_with(upstream={"base_url": f"https://127.0.0.1:{port}/api/v1.1"})
        with counting(caller) as changes:
            reply = caller.json("profiles/import", **WRITE)
    assert_told(reply, 502, "tls_protocol_error", "no trusted TLS connection to the platform" + NOT_SENT)
    assert set(changes.of("gateway_upstream_errors_total", "account", "kind")) == {("default", "tls")}


def test_a_write_goes_on_when_its_caller_leaves(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with()
    sandbox.faults.add(Fault(Kind.STALL, "profiles/import"))
    arrived = sandbox.calls.arrived(1)
    body = '{"db_id": 1, "email": "jim@example.com", "data": {}}'
    head = f"POST /api/v1.1/profiles/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    with caller.connected() as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        arrived.result(PATIENCE)
    sandbox.faults.release()
    (call,) = until(lambda: sandbox.calls.executed("profiles/import"), "the write runs")
    assert call.code == 0


def test_readiness_does_not_depend_on_the_platform(gateway_with: GatewayWith) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caller = gateway_with(upstream={"base_url": f"http://127.0.0.1:{port}/api/v1.1"})
    assert caller.json("databases/get", id=1).error == 502
    assert caller.get("/readyz").status == 200


def test_when_every_place_is_taken_the_next_call_is_refused_and_the_first_still_answered(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"max_connections": 1}, limits={"max_queued": 0})
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    with ThreadPoolExecutor(1) as other, counting(caller) as changes:
        first = other.submit(caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        refused = caller.json("databases/get", id=2)
        refused_write = caller.xml("profiles/import", "<xml><db_id>1</db_id></xml>")
        sandbox.faults.release()
        assert first.result(PATIENCE).error == 0
    text = "overloaded: too many calls are waiting; nothing was sent"
    for reply in (refused, refused_write):
        assert_told(reply, 503, "connection_limit_reached", text)
        assert reply.header("retry-after") == "1"
    assert len(sandbox.calls) == 1
    assert changes.requests == {
        ("databases/get", "0", "upstream"): 1,
        ("databases/get", "503", "gateway"): 1,
        ("profiles/import", "503", "gateway"): 1,
    }
    assert caller.json("databases/get", id=1).error == 0


def test_who_waits_too_long_for_a_place_is_refused(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = gateway_with(upstream={"max_connections": 1}, limits={"queue_timeout": "50ms"})
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    with ThreadPoolExecutor(1) as other:
        first = other.submit(caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        late = caller.json("databases/get", id=2)
        sandbox.faults.release()
        assert first.result(PATIENCE).error == 0
    text = "overloaded: no free connection to the platform in time; nothing was sent"
    assert_told(late, 503, "connection_limit_reached", text)
    assert late.header("retry-after") == "1"


def assert_told(reply: Reply, status: int, proxy_error: str, text: str) -> None:
    assert (reply.status, reply.error, reply.error_text) == (status, status, f"gateway: {text}")
    assert reply.header("proxy-status") == f"gateway; error={proxy_error}"
    assert reply.header("request-id")


@contextmanager
def nobody_accepting() -> Iterator[int]:
    """A port whose queue of connections is full, so that Linux does not answer another one."""
    with socket.socket() as listener, ExitStack() as queue:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextmanager
def stranger_with_tls() -> Iterator[int]:
    """A TLS server whose certificate nobody vouches for; it never gets as far as a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)
        assert not thread.is_alive()
