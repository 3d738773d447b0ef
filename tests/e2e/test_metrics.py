"""What /metrics says: one outcome for each call, whatever became of it, under labels from closed sets."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller
from tests.e2e.conftest import GatewayWith
from tests.e2e.scraping import counting, scrape, scrape_used
from tests.e2e.waiting import until

REQUESTS = "gateway_requests_total"


def test_every_method_has_its_series_before_its_first_call(
    gateway_with: GatewayWith, catalogue: Catalogue
) -> None:
    page = scrape(gateway_with())
    series = {tuple(sorted(dict(labels).items())) for name, labels in page if name == REQUESTS}
    for method in [*(method.name for method in catalogue), "other"]:
        for code, origin in (("0", "upstream"), ("500", "upstream"), ("502", "gateway"), ("400", "gateway")):
            assert (("api_method", method), ("code", code), ("origin", origin)) in series


def test_a_page_in_openmetrics_on_request(caller: Caller) -> None:
    wanted = "application/openmetrics-text; version=1.0.0"
    reply = caller.get("/metrics", ("Accept", wanted))
    assert (reply.header("content-type") or "").startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


def test_names_that_callers_invent_make_no_series(gateway_with: GatewayWith) -> None:
    caller = gateway_with(callers={"known": ["shop"]})
    before = set(scrape(caller))
    with counting(caller) as changes:
        for name in ("brand/new", "brand/newer", "Databases/get", "databases/get/more"):
            caller.json(name)
        for name in ("shop", "invented", "x" * 1000):
            caller.json("databases/get", ("Gateway-Caller", name), id=1)
    assert changes.requests == {("other", "501", "upstream"): 4, ("databases/get", "0", "upstream"): 3}
    assert changes.of("gateway_callers_requests_total", "caller") == {
        ("none",): 4,
        ("shop",): 1,
        ("other",): 2,
    }
    assert set(scrape(caller)) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"error": 777, "error_text": "new"}', "other", id="a code of no table"),
        pytest.param(b'{"data": []}', "other", id="no code"),
        pytest.param(b'{"error": "few"}', "other", id="a code that is no number"),
        pytest.param(b'{"error": 0}', "0", id="success"),
    ],
)
def test_codes_that_the_platform_invents_make_no_series(
    gateway_with: GatewayWith, body: bytes, code: str
) -> None:
    with answering(body) as base_url:
        caller = gateway_with(upstream={"base_url": base_url})
        with counting(caller) as changes:
            reply = caller.json("databases/get", id=1)
    assert reply.json() == json.loads(body)
    assert changes.requests == {("databases/get", code, "upstream"): 1}


def test_a_caller_that_leaves_before_its_body_is_whole_is_counted_once(caller: Caller) -> None:
    before = scrape_used(caller)
    head = f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    with caller.connected() as connection:
        connection.sendall(head.encode() + b'Content-Length: 100\r\n\r\n{"id"')
    labels = {"api_method": "databases/get", "code": "other", "origin": "gateway"}
    counted = until(
        lambda: scrape_used(caller).value(REQUESTS, **labels) - before.value(REQUESTS, **labels),
        "the call is counted",
    )
    assert counted == 1


def test_a_caller_that_leaves_while_it_waits_is_counted_once(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with()
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    arrived = sandbox.calls.arrived(1)
    head = f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    with counting(caller) as changes:
        with caller.connected() as connection:
            connection.sendall(head.encode() + b'Content-Length: 9\r\n\r\n{"id": 1}')
            arrived.result(PATIENCE)
            assert scrape_used(caller).value("gateway_requests_in_progress") == 1
        sandbox.faults.release()
        until(lambda: scrape_used(caller).value("gateway_requests_in_progress") == 0, "the call has ended")
    assert sum(changes.requests.values()) == 1


def test_connections_and_waiting_calls_are_seen_while_they_last(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"max_connections": 1})
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    threads = [
        threading.Thread(target=caller.json, args=("databases/get",), kwargs={"id": n}) for n in (1, 2)
    ]
    for thread in threads:
        thread.start()
    until(lambda: scrape_used(caller).value("gateway_requests_queued") == 1, "one call waits")
    active = {"account": "default", "state": "active"}
    assert scrape_used(caller).value("gateway_upstream_connections", **active) == 1
    sandbox.calls.arrived(1).result(PATIENCE)
    sandbox.faults.release()
    for thread in threads:
        thread.join(PATIENCE)
    page = scrape_used(caller)
    assert page.value("gateway_upstream_connections", account="default", state="idle") == 1


def test_times_are_measured_for_each_call(gateway_with: GatewayWith) -> None:
    caller = gateway_with()
    caller.json("databases/get", id=1)
    page = scrape_used(caller)
    of_method = {"api_method": "databases/get"}
    assert page.value("gateway_request_duration_seconds_count", **of_method) == 1
    assert page.value("gateway_upstream_request_duration_seconds_count", **of_method) == 1
    assert page.value("gateway_overhead_seconds_count") == 1
    whole = page.value("gateway_request_duration_seconds_sum", **of_method)
    assert whole > page.value("gateway_upstream_request_duration_seconds_sum", **of_method) > 0


class _Fixed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body: bytes

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """The base URL of a platform that answers everything with `body`."""
    handler = type("Fixed", (_Fixed,), {"body": body})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/v1.1"
        finally:
            server.shutdown()
            thread.join(PATIENCE)
