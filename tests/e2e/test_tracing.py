"""Traces over real sockets: what a collector gets of calls that callers make."""

import base64
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token
from tests.collector import Arrived, Receiver, environ, rotel
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith, Platform, settings_for
from tests.e2e.flying import IMPORT, JIM, at_once
from tests.e2e.process import Running, config_file, run, serving
from tests.e2e.scraping import scrape_used
from tests.e2e.test_canary import CANARIES, LETTERS, assert_hidden
from tests.e2e.waiting import until

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = ("traceparent", f"00-{TRACE}-{SPAN}-01")
GET = "profiles/get"
KEPT = {"cache": {"enabled": True}, "methods": {GET: {"ttl": "60s"}}}
AWAY = "http://127.0.0.1:9"  # the port "discard", where nobody listens


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def _no_faults(platform: Platform) -> Iterator[None]:
    yield
    platform.sandbox.faults.clear()


class Traced:
    """Starts gateways that trace to `receiver`."""

    def __init__(self, folder: Path, platform: Platform, receiver: Receiver) -> None:
        self.folder = folder
        self.platform = platform
        self.receiver = receiver

    def gateway(
        self, variables: Mapping[str, str] | None = None, **sections: Any
    ) -> AbstractContextManager[Running]:
        settings = settings_for(self.platform.base_url, **{"tracing": {"enabled": True}, **sections})
        return serving(self.folder, settings, {**ENVIRON, **self.receiver.environ, **(variables or {})})


@pytest.fixture
def traced(tmp_path: Path, platform: Platform, receiver: Receiver) -> Traced:
    return Traced(tmp_path, platform, receiver)


@pytest.fixture
def tracing_with(
    receiver: Receiver, gateway_with: GatewayWith, monkeypatch: pytest.MonkeyPatch
) -> GatewayWith:
    """Makes gateways in threads of their own, which are quicker to start. Where spans go the exporter reads
    from this process' environment."""
    for name, value in receiver.environ.items():
        monkeypatch.setenv(name, value)

    def make(environ: Mapping[str, str] = ENVIRON, **sections: Any) -> Caller:
        return gateway_with({**environ, **receiver.environ}, tracing={"enabled": True}, **sections)

    return make


def sorted_out(spans: list[Arrived]) -> tuple[Arrived, ...]:
    """The spans of calls, then those of attempts, each by their beginnings."""
    return tuple(sorted(spans, key=lambda span: (span.kind != "SERVER", span.start)))


def sent_to_the_platform(sandbox: Sandbox, name: str) -> list[str | None]:
    return [call.incoming.header(name) for call in sandbox.calls]


def log_of(gateway: Running, **wanted: object) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in gateway.log.splitlines()]
    return [line for line in lines if wanted.items() <= line.items()]


@pytest.mark.full
def test_one_calls_trace_arrives_at_a_collector_with_both_spans_linked_to_the_callers(
    tmp_path: Path, platform: Platform, receiver: Receiver, traced: Traced
) -> None:
    with rotel(tmp_path, receiver) as collector, traced.gateway(environ(collector)) as gateway:
        reply = gateway.caller.json("databases/get", PARENT, id=1)
        spans = receiver.await_spans(2)

    call, attempt = sorted_out(spans)
    assert {span.trace_id for span in spans} == {TRACE}
    assert (call.parent_id, attempt.parent_id) == (SPAN, call.span_id)
    assert call.start <= attempt.start <= attempt.end <= call.end
    assert (call.name, attempt.name) == ("POST /api/v1.1/databases/get", "POST databases/get")
    assert (call.failed, attempt.failed) == (False, False)
    assert call.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/api/v1.1/databases/get",
        "url.path": "/api/v1.1/databases/get",
        "url.scheme": "http",
        "gateway.method": "databases/get",
        "gateway.account": "default",
        "gateway.origin": "upstream",
        "gateway.cache": "bypass",
        "gateway.attempts": 1,
        "gateway.code": 0,
        "gateway.request_id": reply.header("request-id"),
    }
    host, _, port = platform.base_url.removeprefix("http://").partition("/")[0].partition(":")
    assert attempt.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": host,
        "server.port": int(port),
        "url.full": f"{platform.base_url}/databases/get",
        "gateway.method": "databases/get",
        "gateway.account": "default",
        "gateway.code": 0,
    }
    assert call.resource["service.name"] == "platform-gateway"


def test_each_attempt_is_a_span_of_its_own_that_says_why_it_failed(
    receiver: Receiver, tracing_with: GatewayWith, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.RESET, GET))
    sandbox.faults.add(Fault(Kind.HTML, GET))
    caller = tracing_with(upstream={"retries": {"attempts": 3, "backoff": "1ms"}})
    assert caller.json(GET, db_id=1, email="nobody@example.com").error == 404
    call, *attempts = sorted_out(receiver.await_spans(4))
    seen = [
        (span.attributes.get("error.type"), span.attributes.get("http.request.resend_count"), span.failed)
        for span in attempts
    ]
    assert seen == [("reset", None, True), ("protocol", 1, True), ("404", 2, True)]
    assert {span.parent_id for span in attempts} == {call.span_id}
    assert (call.attributes["gateway.code"], call.attributes["gateway.attempts"]) == (404, 3)
    assert not call.failed, "what the caller asked for wrongly is not the server's fault"
    parents = [f"00-{call.trace_id}-{span.span_id}-01" for span in attempts]
    assert sent_to_the_platform(sandbox, "traceparent") == parents


def test_a_call_that_the_gateway_could_not_get_answered_has_failed(
    receiver: Receiver, tracing_with: GatewayWith, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.RESET, GET))
    caller = tracing_with()
    caller.json(GET, **JIM)
    call, _ = sorted_out(receiver.await_spans(2))
    assert (call.failed, call.attributes["error.type"]) == (True, "upstream-reset")
    assert call.attributes["http.response.status_code"] == 502


def test_an_answer_from_the_cache_has_its_span_and_no_other(
    receiver: Receiver, tracing_with: GatewayWith
) -> None:
    caller = tracing_with(**KEPT)
    caller.json(IMPORT, **JIM)
    caller.json(GET, db_id=1, email=JIM["email"])
    caller.json(GET, PARENT, db_id=1, email=JIM["email"])
    spans = receiver.await_spans(5)
    (hit,) = (span for span in spans if span.trace_id == TRACE)
    assert (hit.kind, hit.parent_id, hit.links) == ("SERVER", SPAN, ())
    assert (hit.attributes["gateway.cache"], hit.attributes["gateway.origin"]) == ("hit", "cache")
    assert hit.attributes["gateway.attempts"] == 0


@pytest.mark.parametrize(("api_method", "part"), [(GET, "gateway.cache"), (IMPORT, "gateway.flight")])
def test_who_shares_a_request_to_the_platform_is_linked_to_who_made_it(
    receiver: Receiver, tracing_with: GatewayWith, sandbox: Sandbox, api_method: str, part: str
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, api_method))
    caller = tracing_with(dedup={"enabled": True})
    calls = [partial(caller.json, api_method, **JIM)] * 3
    with at_once(caller, sandbox, calls) as replies:
        sandbox.faults.release()
        assert {reply.result(PATIENCE).status for reply in replies} == {200}
    *asked, attempt = sorted_out(receiver.await_spans(4))
    (leader,) = (span for span in asked if span.span_id == attempt.parent_id)
    followers = [span for span in asked if span is not leader]
    assert leader.links == ()
    assert {span.links for span in followers} == {((leader.trace_id, leader.span_id),)}
    assert {span.attributes[part] for span in followers} == {
        "collapsed" if part == "gateway.cache" else "joined"
    }
    assert len({span.trace_id for span in asked}) == 3


def test_the_platform_is_told_the_trace_and_its_state(tracing_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = tracing_with()
    caller.json(GET, PARENT, ("tracestate", "rojo=00f067aa0ba902b7, congo=t61rcWkgMzE"), **JIM)
    (parent,) = sent_to_the_platform(sandbox, "traceparent")
    assert parent is not None
    assert parent.startswith(f"00-{TRACE}-")
    assert parent.endswith("-01")
    assert SPAN not in parent
    assert sent_to_the_platform(sandbox, "tracestate") == ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"]


def test_a_trace_that_nobody_records_is_passed_on_as_such(
    receiver: Receiver, tracing_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = tracing_with()
    caller.json(GET, ("traceparent", f"00-{TRACE}-{SPAN}-00"), **JIM)
    caller.json("databases/get", id=1)
    spans = receiver.await_spans(2)
    assert TRACE not in {span.trace_id for span in spans}
    unsampled, _ = sent_to_the_platform(sandbox, "traceparent")
    assert unsampled is not None
    assert unsampled.startswith(f"00-{TRACE}-")
    assert unsampled.endswith("-00")


def test_the_usual_variables_say_which_traces_are_recorded(
    traced: Traced, receiver: Receiver, sandbox: Sandbox
) -> None:
    variables = {"OTEL_TRACES_SAMPLER": "always_off", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    with traced.gateway(variables) as gateway:
        gateway.caller.json(GET, PARENT, **JIM)
        assert gateway.stop(signal.SIGTERM) == 0
    assert receiver.raw == []
    (parent,) = sent_to_the_platform(sandbox, "traceparent")
    assert parent is not None
    assert parent.endswith("-00")


def test_a_write_that_the_platform_knows_by_its_headers_alone_goes_without_those_of_a_trace(
    receiver: Receiver, tracing_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = tracing_with(upstream={"request_id_header": None})
    for _ in range(2):
        caller.json("profiles/add", PARENT, db_id=1, data={"email": "ann@example.com"})
    caller.json(GET, PARENT, **JIM)
    receiver.await_spans(6)
    first, second, read = sent_to_the_platform(sandbox, "traceparent")
    assert (first, second) == (None, None)
    assert read is not None
    assert [call.fate.value for call in sandbox.calls] == ["executed", "replayed", "executed"]


@pytest.mark.parametrize("style", ["json", "text"])
def test_the_line_of_a_call_names_its_trace(traced: Traced, receiver: Receiver, style: str) -> None:
    with traced.gateway(log={"format": style}) as gateway:
        gateway.caller.json(GET, PARENT, **JIM)
        call, _ = sorted_out(receiver.await_spans(2))
        until(lambda: TRACE in gateway.log, "the line is written")
        if style == "json":
            (line,) = log_of(gateway, message="call")
            assert (line["trace_id"], line["span_id"]) == (TRACE, call.span_id)
        else:
            assert f"trace_id={TRACE} span_id={call.span_id}" in gateway.log


def test_no_token_no_body_and_no_parameter_is_in_a_span(
    receiver: Receiver, tracing_with: GatewayWith
) -> None:
    secrets = ("jim@example.com", "Zebrafinch", TOKEN)
    caller = tracing_with(dedup={"enabled": True}, token_placement="query")
    caller.json(f"{GET}?extra=Zebrafinch", PARENT, ("Request-ID", TOKEN), db_id=1, email=JIM["email"])
    caller.json("unheard/of/Zebrafinch", ("Request-ID", TOKEN), x="Zebrafinch")
    caller.json(IMPORT, ("Gateway-Caller", "Zebrafinch"), ("User-Agent", "Zebrafinch"), **JIM)
    caller.json(IMPORT, PARENT, ("tracestate", f"a={TOKEN}"), **JIM)
    caller.send("POST", "/api/v1.1/../Zebrafinch", "{}")
    receiver.await_spans(9)
    masked = scrape_used(caller).value("gateway_redactions_total", sink="trace")
    sent = b"".join(receiver.raw).decode("latin-1")
    assert [secret for secret in secrets if secret in sent] == []
    assert masked >= 3, "the two ids and the state"


@pytest.mark.parametrize("canary", CANARIES, ids=LETTERS)
def test_no_spelling_of_a_token_is_in_a_span(
    receiver: Receiver, platform: Platform, tracing_with: GatewayWith, canary: str
) -> None:
    platform.sandbox.tokens.add(Token("canary", canary))
    caller = tracing_with(token={"env": "CANARY"}, environ={"CANARY": canary})
    spelt = [quote(canary, safe=""), base64.urlsafe_b64encode(canary.encode()).decode().rstrip("=")]
    for spelling in spelt:
        platform.sandbox.faults.add(Fault(Kind.ECHO, GET))
        reply = caller.json(f"{GET}?token={spelling}", ("Request-ID", spelling), token=canary, **JIM)
        assert reply.error != 400, "it went out"
    receiver.await_spans(4)
    platform.sandbox.tokens.revoke(canary)
    assert_hidden(b"".join(receiver.raw), "spans")


def test_a_state_that_holds_a_token_stays_here(tracing_with: GatewayWith, sandbox: Sandbox) -> None:
    caller = tracing_with()
    caller.json(GET, PARENT, ("tracestate", f"a={TOKEN}"), **JIM)
    assert sent_to_the_platform(sandbox, "tracestate") == [None]


def test_a_collector_that_is_away_stops_no_call_and_is_named_once(traced: Traced, receiver: Receiver) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": AWAY, "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
    small = {"OTEL_BSP_MAX_QUEUE_SIZE": "4", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2"}
    with traced.gateway({**away, **small}) as gateway:
        lost = until(partial(called_and_lost, gateway.caller), "spans are counted as lost")
        assert gateway.stop(signal.SIGTERM) == 0
    assert lost.keys() == {"failed", "dropped"}
    [said] = log_of(gateway, event="tracing_failed")
    assert "127.0.0.1" in said["message"], "it says why"
    assert log_of(gateway, level="error") == []
    assert receiver.raw == []


def spans_sent(caller: Caller) -> float:
    return scrape_used(caller).value("gateway_spans_total", delivery="sent")


def called_and_lost(caller: Caller) -> dict[str, float]:
    """What was lost, as soon as it was lost in both ways; calls are answered meanwhile."""
    for _ in range(10):
        assert caller.json("databases/get", id=1).error == 0
    page = scrape_used(caller)
    lost = {name: page.value("gateway_spans_total", delivery=name) for name in ("failed", "dropped")}
    return lost if all(lost.values()) else {}


def test_a_collector_that_comes_back_gets_what_is_new(traced: Traced, receiver: Receiver) -> None:
    receiver.refusing = 400
    with traced.gateway() as gateway:
        gateway.caller.json("databases/get", id=1)
        [said] = until(lambda: log_of(gateway, event="tracing_failed"), "it is said")
        assert "400" in said["message"]
        ready = gateway.caller.get("/readyz?verbose")
        assert ready.status == 200
        assert b"spans cannot be delivered to the collector" in ready.body
        receiver.refusing = None
        gateway.caller.json("databases/get", PARENT, id=1)
        (back,) = until(lambda: log_of(gateway, event="tracing_recovered"), "it is said")
    assert back["lost"] >= 1
    assert TRACE in {span.trace_id for span in receiver.await_spans(1)}


def test_the_end_sends_what_waits(traced: Traced, receiver: Receiver) -> None:
    with traced.gateway({"OTEL_BSP_SCHEDULE_DELAY": "3600000"}) as gateway:
        gateway.caller.json("databases/get", PARENT, id=1)
        assert receiver.raw == []
        assert gateway.stop(signal.SIGTERM) == 0
    assert [span.kind for span in sorted_out(receiver.await_spans(2))] == ["SERVER", "CLIENT"]


def test_a_reload_turns_tracing_on_and_off(traced: Traced, receiver: Receiver, sandbox: Sandbox) -> None:
    with traced.gateway(tracing={"enabled": False}) as gateway:
        ask = partial(gateway.caller.json, "databases/get", PARENT, id=1)
        ask()
        for wanted in (True, False):
            settings = settings_for(traced.platform.base_url, tracing={"enabled": wanted})
            config_file(traced.folder, {**settings, "listen": {"port": 0}})
            assert gateway.caller.send("POST", "/-/reload", b"").status == 200
            ask()
        receiver.await_spans(2)
        until(lambda: spans_sent(gateway.caller) == 2, "both are counted")
    sent = sent_to_the_platform(sandbox, "traceparent")
    assert [parent is not None for parent in sent] == [False, True, False]


def test_a_reload_that_cannot_trace_is_refused_whole(traced: Traced) -> None:
    wrong = {"OTEL_TRACES_SAMPLER": "sometimes"}
    with traced.gateway(wrong, tracing={"enabled": False}) as gateway:
        config_file(traced.folder, settings_for(traced.platform.base_url, tracing={"enabled": True}))
        reply = gateway.caller.send("POST", "/-/reload", b"")
    assert reply.status == 422
    assert b"OTEL_TRACES_SAMPLER: 'sometimes' is none of" in reply.body


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "OTEL_TRACES_SAMPLER: 'sometimes' is none of"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTLP goes by http/protobuf only"),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "OTEL_BSP_MAX_QUEUE_SIZE: 'many' is no number above 0"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "spans go by otlp, or nowhere"),
    ],
)
def test_check_says_what_keeps_calls_from_being_traced(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    file = config_file(tmp_path, {"tracing": {"enabled": True}, "token": {"env": "TOKEN"}})
    ended = run("check", "--config", str(file), directory=tmp_path, environ={**ENVIRON, **variables})
    assert ended.code == 1
    assert "tracing.enabled: " in ended.out + ended.err
    assert said in ended.out + ended.err


def test_tracing_that_is_off_loads_nothing_and_sends_nothing(traced: Traced, sandbox: Sandbox) -> None:
    with traced.gateway(tracing={"enabled": False}) as gateway:
        gateway.caller.json("databases/get", PARENT, ("tracestate", "a=1"), id=1)
        maps = Path(f"/proc/{gateway.process.pid}/maps")
        loaded = maps.read_text() if sys.platform == "linux" else ""
        until(lambda: log_of(gateway, message="call"), "the line is written")
    assert sent_to_the_platform(sandbox, "traceparent") == [None]
    assert sent_to_the_platform(sandbox, "tracestate") == [None]
    assert [line for line in log_of(gateway, message="call") if "trace_id" in line] == []
    assert "protobuf" not in loaded
    assert "opentelemetry" not in loaded
