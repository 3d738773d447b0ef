"""The platform goes away: an alert reaches whoever Alertmanager tells, and so does its end.

All times in the rules are divided by 60, so that a minute is a second; nothing else about them is changed.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.dashboards.monitoring import Prometheus, alertmanager, fetched, free_port, prometheus
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.process import serving
from tests.e2e.waiting import until

TOKEN = "token-1234567890"
UNREACHABLE = "GatewayPlatformUnreachable"
ALERTS = f'ALERTS{{alertname="{UNREACHABLE}"}}'
WELL = 'sum(gateway_requests_total{code="0"})'

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


@dataclass
class OnCall:
    """Whoever is told of alerts: name, status and the alert, in the order in which they came."""

    address: str = ""
    told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def alert(self, name: str, status: str) -> dict[str, Any] | None:
        return next((alert for told, how, alert in self.told if (told, how) == (name, status)), None)


@dataclass(frozen=True)
class Watched:
    """What watches, and the port on which the platform is to appear."""

    port: int
    prometheus: Prometheus
    alertmanager: str


@pytest.fixture
def on_call() -> Iterator[OnCall]:
    someone = OnCall()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            someone.told += [(one["labels"]["alertname"], one["status"], one) for one in content["alerts"]]
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        someone.address = f"http://127.0.0.1:{server.server_address[1]}/"
        yield someone
        server.shutdown()
        thread.join(PATIENCE)


@contextmanager
def platform(port: int) -> Iterator[str]:
    """It is there for the length of the block."""
    with running_in_thread(Sandbox(sample_tokens(TOKEN), Options()), port=port) as base_url:
        yield base_url


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """Reads and writes, one after the other, whatever comes of them."""
    enough = threading.Event()

    def call() -> None:
        number = 0
        while not enough.wait(0.02):
            number += 1
            caller.json("databases/get", ("Cache-Control", "no-store"), id=1)
            caller.json("profiles/import", db_id=1, email=f"jim{number}@example.com", data={})

    with ThreadPoolExecutor(1, "calls") as executor:
        calls = executor.submit(call)
        try:
            yield
        finally:
            enough.set()
            calls.result(2 * PATIENCE)


@pytest.fixture
def watched(tmp_path: Path, on_call: OnCall) -> Iterator[Watched]:
    """A gateway that is called, Prometheus and Alertmanager; the platform is not there yet."""
    port = free_port()
    settings = {
        "listen": {"port": 0},
        "upstream": {"base_url": f"http://127.0.0.1:{port}/api/v1.1", "breaker": {"open_for": "250ms"}},
        "token": {"env": "TOKEN"},
    }
    with ExitStack() as stack:
        gateway = stack.enter_context(serving(tmp_path, settings, {"TOKEN": TOKEN}))
        told = stack.enter_context(alertmanager(tmp_path, on_call.address))
        stack.enter_context(calling(gateway.caller))
        target = gateway.caller.authority
        server = stack.enter_context(
            prometheus(tmp_path, target, alertmanager=told, every="500ms", faster=60)
        )
        yield Watched(port, server, told)


def test_an_alert_fires_when_the_platform_goes_away_and_ends_when_it_is_back(
    watched: Watched, on_call: OnCall
) -> None:
    with platform(watched.port):
        until(lambda: watched.prometheus.number(WELL) > 50, "calls are answered")
        until(lambda: not watched.prometheus.at(ALERTS), "nothing is wrong any more")
        on_call.told.clear()
    alert = until(lambda: on_call.alert(UNREACHABLE, "firing"), "somebody is told that it fires")
    active = fetched(f"http://{watched.alertmanager}/api/v2/alerts?active=true")
    assert UNREACHABLE in {one["labels"]["alertname"] for one in active}
    with platform(watched.port):
        until(lambda: on_call.alert(UNREACHABLE, "resolved"), "somebody is told that it is over")
        until(lambda: not watched.prometheus.at(ALERTS), "all is well")
    assert alert is not None
    assert alert["labels"] == {"alertname": UNREACHABLE, "job": "gateway", "severity": "critical"}
    assert alert["annotations"]["runbook_url"] == "docs/runbooks/platform-unreachable.md"
    assert alert["annotations"]["summary"] == "The platform does not answer gateway"
