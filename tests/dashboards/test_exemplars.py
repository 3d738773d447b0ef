"""A real Prometheus keeps the traces that latencies name, so that a point in a graph leads to its trace."""

import time
from functools import partial
from pathlib import Path

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.collector import Receiver
from tests.dashboards.monitoring import Prometheus, prometheus
from tests.e2e.conftest import TOKEN, settings_for
from tests.e2e.process import serving
from tests.e2e.waiting import until

pytestmark = pytest.mark.full


def test_prometheus_finds_the_trace_behind_a_latency(tmp_path: Path) -> None:
    began = time.time()
    with Receiver() as receiver, running_in_thread(Sandbox(sample_tokens(TOKEN))) as base_url:
        settings = settings_for(base_url, tracing={"enabled": True})
        with serving(tmp_path, settings, {"TOKEN": TOKEN, **receiver.environ}) as gateway:
            gateway.caller.json("databases/get", id=1)
            (trace,) = {span.trace_id for span in receiver.await_spans(2)}
            with prometheus(tmp_path, gateway.caller.authority) as server:
                for name in (
                    "gateway_request_duration_seconds_bucket",
                    "gateway_upstream_request_duration_seconds_bucket",
                    "gateway_overhead_seconds_bucket",
                ):
                    assert until(partial(_named, server, name, began), name) == {trace}


def _named(server: Prometheus, name: str, since: float) -> set[str]:
    return server.traces(name, since, time.time() + 1)
