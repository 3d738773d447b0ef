"""What a record is as a span: the semantic conventions for HTTP, line by line."""

from typing import Any

import msgspec
import pytest
from opentelemetry.semconv.attributes import (
    error_attributes,
    http_attributes,
    server_attributes,
    url_attributes,
)

from gateway.catalogue.model import ApiMethod, Effect
from gateway.observe.tracing.spans import Place, Span, Spans
from gateway.records import AttemptRecord, CallRecord, CallTrace, TraceContext

ABOVE = TraceContext("a" * 32, "b" * 16, sampled=True)
METHODS = {
    "profiles/get": ApiMethod("profiles/get", Effect.READ),
    "profiles/add": ApiMethod("profiles/add", Effect.MODIFY, path="profiles/add/"),
}
PLACES = {
    "default": Place("https://example.com/api/v1.1", "/api/v1.1"),
    "eu": Place("http://eu.example.com:8080/api/v1.1", "/accounts/eu/api/v1.1"),
}
SPANS = Spans(PLACES, METHODS)


def of_call(record: CallRecord, http_method: str = "POST", **changes: Any) -> Span:
    return SPANS.of_call(msgspec.structs.replace(record, **changes), CallTrace(ABOVE, http_method))


def of_attempt(record: AttemptRecord, **changes: Any) -> Span:
    return SPANS.of_attempt(msgspec.structs.replace(record, **changes), ABOVE, ended=1763928000.5)


def test_a_call_lasts_from_its_arrival_as_long_as_it_took(a_call: CallRecord) -> None:
    span = of_call(a_call)
    assert (span.start, span.end) == (1763928000_250000000, 1763928000_500000000)


def test_an_attempt_ends_when_it_was_told_of(an_attempt: AttemptRecord) -> None:
    span = of_attempt(an_attempt)
    assert (span.start, span.end) == (1763928000_375000000, 1763928000_500000000)


@pytest.mark.parametrize(
    ("http_method", "name", "attribute"),
    [
        ("POST", "POST /api/v1.1/profiles/get", "POST"),
        ("QUERY", "QUERY /api/v1.1/profiles/get", "QUERY"),
        ("MKCOL", "HTTP /api/v1.1/profiles/get", "_OTHER"),
    ],
)
def test_a_calls_span_is_named_by_http_method_and_route(
    a_call: CallRecord, http_method: str, name: str, attribute: str
) -> None:
    span = of_call(a_call, http_method)
    assert (span.name, span.attributes["http.request.method"]) == (name, attribute)


def test_a_method_that_nobody_knows_is_not_named(a_call: CallRecord, an_attempt: AttemptRecord) -> None:
    call = of_call(a_call, api_method="other", called="secret/of/a/caller")
    attempt = of_attempt(an_attempt, api_method="other")
    assert call.name == "POST /api/v1.1/{method}"
    assert call.attributes["url.path"] == call.attributes["http.route"] == "/api/v1.1/{method}"
    assert (attempt.name, attempt.attributes["url.full"]) == ("POST", "https://example.com/api/v1.1")


def test_an_account_has_its_own_route_and_platform(a_call: CallRecord, an_attempt: AttemptRecord) -> None:
    route = of_call(a_call, account="eu").attributes["http.route"]
    attempt = of_attempt(an_attempt, account="eu", api_method="profiles/add").attributes
    assert route == "/accounts/eu/api/v1.1/profiles/get"
    assert attempt["url.full"] == "http://eu.example.com:8080/api/v1.1/profiles/add/"
    assert (attempt["server.address"], attempt["server.port"]) == ("eu.example.com", 8080)


def test_the_port_is_the_schemes_where_the_address_has_none(an_attempt: AttemptRecord) -> None:
    assert of_attempt(an_attempt).attributes["server.port"] == 443


def test_an_account_that_a_reload_took_away_leaves_a_span_without_its_place(
    an_attempt: AttemptRecord,
) -> None:
    attributes = of_attempt(an_attempt, account="gone").attributes
    assert attributes.keys().isdisjoint({"url.full", "server.address", "server.port"})


@pytest.mark.parametrize(
    ("changes", "failed", "error_type"),
    [
        ({}, False, None),
        ({"code": 404}, False, None),
        ({"code": 500}, True, "500"),
        ({"status": 500, "code": None}, True, "500"),
        ({"status": 502, "code": 502, "error": "upstream-reset"}, True, "upstream-reset"),
        ({"status": 403, "code": 403, "error": "method-denied"}, False, "method-denied"),
        ({"status": 0, "code": None, "error": "caller-gone"}, True, "caller-gone"),
    ],
)
def test_a_call_has_failed_where_the_server_is_at_fault(
    a_call: CallRecord, changes: dict[str, Any], failed: bool, error_type: str | None
) -> None:
    span = of_call(a_call, **changes)
    assert (span.failed, span.attributes.get("error.type")) == (failed, error_type)


@pytest.mark.parametrize(
    ("changes", "error_type"),
    [
        ({"status": 200}, None),
        ({"status": 200, "code": 404}, "404"),
        ({"status": 503, "code": None}, "503"),
        ({"failure": "timeout", "code": None}, "timeout"),
    ],
)
def test_an_attempt_has_failed_where_it_got_anything_but_success(
    an_attempt: AttemptRecord, changes: dict[str, Any], error_type: str | None
) -> None:
    span = of_attempt(an_attempt, **changes)
    assert (span.failed, span.attributes.get("error.type")) == (error_type is not None, error_type)


def test_what_the_gateway_did_with_a_call_is_said(a_call: CallRecord) -> None:
    attributes = of_call(
        a_call, cache=None, flight="replayed", origin="replayed", queue_seconds=0.5, attempts=0
    ).attributes
    assert {name: value for name, value in attributes.items() if name.startswith("gateway.")} == {
        "gateway.method": "profiles/get",
        "gateway.account": "default",
        "gateway.caller": "crm",
        "gateway.origin": "replayed",
        "gateway.flight": "replayed",
        "gateway.code": 0,
        "gateway.attempts": 0,
        "gateway.queue_seconds": 0.5,
        "gateway.request_id": a_call.request_id,
    }


def test_a_call_without_an_answer_has_no_status(a_call: CallRecord) -> None:
    assert "http.response.status_code" not in of_call(a_call, status=0).attributes


def test_an_attempt_after_the_first_says_how_many_there_were(an_attempt: AttemptRecord) -> None:
    assert of_attempt(an_attempt, number=3, duplicate=True).attributes["http.request.resend_count"] == 2
    assert "http.request.resend_count" not in of_attempt(an_attempt).attributes


def test_every_name_is_the_conventions_or_the_gateways_own(
    a_call: CallRecord, an_attempt: AttemptRecord
) -> None:
    stable = {
        value
        for module in (error_attributes, http_attributes, server_attributes, url_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    call = of_call(a_call, error="internal", status=500, flight="led", queue_seconds=1.0)
    attempt = of_attempt(an_attempt, number=2, status=503, duplicate=True)
    names = {*call.attributes, *attempt.attributes}
    assert {name for name in names if not name.startswith("gateway.")} <= stable
