"""What the gateway refuses: each with its status, in the platform's shape and the caller's format, before
anything reaches the platform, and without harm to the next call."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, XML, Caller, Header, Reply, read_reply
from tests.e2e.conftest import ENVIRON, GatewayWith, Platform, settings_for
from tests.e2e.inthread import RunningGateway, running_gateway
from tests.e2e.scraping import counting

BASE = "/api/v1.1/"
IN_JSON: tuple[Header, ...] = (("Content-Type", JSON),)
IN_XML: tuple[Header, ...] = (("Content-Type", XML),)

BAD_REQUEST = (400, 400, "bad-request", "http_request_error")
TOO_LARGE = (413, 400, "body-too-large", "http_request_error")
UNSUPPORTED = (415, 415, "unsupported-type", "http_request_error")
WRONG_VERB = (405, 400, "http-method-refused", "http_request_error")
HOST_REFUSED = (403, 403, "host-refused", "http_request_denied")
ORIGIN_REFUSED = (403, 403, "origin-refused", "http_request_denied")
DENIED = (403, 403, "method-denied", "http_request_denied")
UNKNOWN = (501, 501, "unknown-method", "http_request_denied")


@dataclass(frozen=True)
class Bad:
    """A request and its refusal: HTTP status, `error`, reason in Cache-Status, error type in Proxy-Status."""

    refusal: tuple[int, int, str, str]
    body: bytes = b'{"id": 1}'
    headers: tuple[Header, ...] = IN_JSON
    target: str = f"{BASE}databases/get"
    http_method: str = "POST"
    hosts: tuple[str, ...] | None = None
    label: str = "databases/get"

    def send(self, caller: Caller, accept: str) -> Reply:
        headers = (("Accept", accept), *self.headers)
        return caller.send(self.http_method, self.target, self.body, *headers, hosts=self.hosts)


def bad_json(body: bytes) -> Bad:
    return Bad(BAD_REQUEST, body)


def bad_xml(body: str | bytes) -> Bad:
    return Bad(BAD_REQUEST, body.encode() if isinstance(body, str) else body, IN_XML)


def bad_header(*headers: Header) -> Bad:
    return Bad(BAD_REQUEST, headers=(*IN_JSON, *headers))


def from_page(name: str, value: str) -> Bad:
    return Bad(ORIGIN_REFUSED, headers=(*IN_JSON, (name, value)), label="other")


def bad_path(target: str) -> Bad:
    return Bad(BAD_REQUEST, target=BASE + target, label="other")


OTHER_PATHS = ["/", "/x", "/livezz", "/metrics/x", "/api/v1.0/lists/1/import", "/api/v1.10/databases/get"]
ELEVEN_MB = 11 * 1024 * 1024

CASES = {
    "JSON cut off": bad_json(b'{"id": 1'),
    "JSON with a tail": bad_json(b'{"id": 1} {}'),
    "JSON with a comma too many": bad_json(b'{"id": 1,}'),
    "no body": bad_json(b""),
    "a list at the top": bad_json(b'[{"id": 1}]'),
    "a string at the top": bad_json(b'"id"'),
    "null at the top": bad_json(b"null"),
    "NaN": bad_json(b'{"id": NaN}'),
    "Infinity": bad_json(b'{"id": -Infinity}'),
    "JSON that is no UTF-8": bad_json(b'{"id": "\xff\xfe"}'),
    "JSON in UTF-16": bad_json('{"id": 1}'.encode("utf-16")),
    "half a surrogate pair": bad_json(rb'{"id": "\ud800"}'),
    "JSON nested 65 deep": bad_json(b'{"id": ' + b"[" * 64 + b"]" * 64 + b"}"),
    "JSON nested 100000 deep": bad_json(b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "too many values in JSON": bad_json(b'{"id": [' + b"1," * 1000 + b"1]}"),
    "XML cut off": bad_xml("<xml><id>1</id>"),
    "two roots": bad_xml("<xml/><xml/>"),
    "XML and no body": bad_xml(""),
    "a DOCTYPE": bad_xml("<!DOCTYPE xml><xml><id>1</id></xml>"),
    "an entity": bad_xml('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><id>&e;</id></xml>'),
    "entities in entities": bad_xml(
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><id>&b;</id></xml>'
    ),
    "an undeclared entity": bad_xml("<xml><id>&e;</id></xml>"),
    "XML that is no UTF-8": bad_xml(b"<xml><id>\xff</id></xml>"),
    "another encoding declared": bad_xml('<?xml version="1.0" encoding="iso-8859-1"?><xml><id>1</id></xml>'),
    "XML 1.1": bad_xml('<?xml version="1.1"?><xml><id>1</id></xml>'),
    "mixed content": bad_xml("<xml><id>1<b/></id></xml>"),
    "an attribute": bad_xml("<xml><id type='int'>1</id></xml>"),
    "a prefix": bad_xml("<xml xmlns:a='urn:a'><a:id>1</a:id></xml>"),
    "XML nested 65 deep": bad_xml("<xml>" + "<a>" * 65 + "</a>" * 65 + "</xml>"),
    "XML nested 100000 deep": bad_xml("<xml>" + "<a>" * 100_000 + "</a>" * 100_000 + "</xml>"),
    "too many elements in XML": bad_xml("<xml>" + "<a/>" * 1001 + "</xml>"),
    "11 MB of JSON": Bad(TOO_LARGE, b'{"id": "' + b"a" * ELEVEN_MB + b'"}'),
    "11 MB of XML": Bad(TOO_LARGE, b"<xml><id>" + b"a" * ELEVEN_MB + b"</id></xml>", IN_XML),
    "no content type": Bad(UNSUPPORTED, headers=()),
    "plain text": Bad(UNSUPPORTED, headers=(("Content-Type", "text/plain"),)),
    "a form": Bad(UNSUPPORTED, b"id=1", (("Content-Type", "application/x-www-form-urlencoded"),)),
    "a form with a file": Bad(UNSUPPORTED, headers=(("Content-Type", "multipart/form-data; boundary=b"),)),
    "another charset": Bad(UNSUPPORTED, headers=(("Content-Type", f"{JSON}; charset=latin-1"),)),
    "two content types": Bad(UNSUPPORTED, headers=(*IN_JSON, *IN_JSON)),
    "a compressed body": Bad(UNSUPPORTED, headers=(*IN_JSON, ("Content-Encoding", "gzip"))),
    "another host": Bad(HOST_REFUSED, hosts=("evil.example",), label="other"),
    "another host with our port": Bad(HOST_REFUSED, hosts=("evil.example:8080",), label="other"),
    "a host that ends like ours": Bad(HOST_REFUSED, hosts=("evil.localhost",), label="other"),
    "no host": Bad(BAD_REQUEST, hosts=(), label="other"),
    "two hosts": Bad(HOST_REFUSED, hosts=("localhost", "localhost"), label="other"),
    "another address": Bad(HOST_REFUSED, hosts=("127.0.0.2",), label="other"),
    "a page's Origin": from_page("Origin", "https://a.example"),
    "a page's null Origin": from_page("Origin", "null"),
    "our own Origin": from_page("Origin", "http://localhost"),
    "Sec-Fetch-Site": from_page("Sec-Fetch-Site", "cross-site"),
    "Sec-Fetch-Site of a sister": from_page("Sec-Fetch-Site", "same-site"),
    "no method": bad_path(""),
    "dots": bad_path("databases/../get"),
    "dots at the start": bad_path("../v1.1/databases/get"),
    "encoded dots": bad_path("databases/%2e%2e/get"),
    "an encoded slash": bad_path("databases%2fget"),
    "a backslash": bad_path("databases\\get"),
    "an encoded NUL": bad_path("databases/get%00"),
    "an encoded line break": bad_path("databases/get%0d%0aX:1"),
    "an encoded letter": bad_path("databases/ge%74"),
    "a semicolon": bad_path("databases/get;a=1"),
    "a name of 300 letters": bad_path("a" * 300),
    "Request-ID with a quote": bad_header(("Request-ID", 'a"b')),
    "Request-ID with a comma": bad_header(("Request-ID", "a,b")),
    "Request-ID with a space": bad_header(("Request-ID", "a b")),
    "Request-ID beyond ASCII": bad_header(("Request-ID", "é")),
    "Request-ID of 129 characters": bad_header(("Request-ID", "a" * 129)),
    "Request-ID without a value": bad_header(("Request-ID", "")),
    "Request-ID twice": bad_header(("Request-ID", "a"), ("Request-ID", "a")),
    "Idempotency-Key half quoted": bad_header(("Idempotency-Key", '"a')),
    "two ids that differ": bad_header(("Request-ID", "a"), ("Idempotency-Key", "b")),
    "GET": Bad(WRONG_VERB, b"", http_method="GET"),
    "PUT": Bad(WRONG_VERB, http_method="PUT"),
    "DELETE": Bad(WRONG_VERB, http_method="DELETE"),
    "QUERY of a write": Bad(
        WRONG_VERB, http_method="QUERY", target=f"{BASE}profiles/import", label="profiles/import"
    ),
    "QUERY of a task": Bad(
        WRONG_VERB, http_method="QUERY", target=f"{BASE}profiles/get_all", label="profiles/get_all"
    ),
    "a denied method": Bad(DENIED, target=f"{BASE}databases/wipe", label="databases/wipe"),
    "a denied family": Bad(DENIED, target=f"{BASE}templates/add", label="templates/add"),
    "a method not allowed": Bad(DENIED, target=f"{BASE}profiles/delete", label="profiles/delete"),
    "an unknown method": Bad(UNKNOWN, target=f"{BASE}brand/new", label="other"),
    "a known method in capitals": Bad(UNKNOWN, target=f"{BASE}Databases/get", label="other"),
}


@pytest.fixture(scope="module")
def _strict(shared_platform: Platform, catalogue: Catalogue) -> Iterator[RunningGateway]:
    settings = settings_for(
        shared_platform.base_url,
        method_policy={"unknown": "reject", "deny": ["databases/wipe", "templates/*"]},
        methods={"profiles/delete": {"allowed": False}},
        limits={"elements": 1000},
    )
    with running_gateway(settings, ENVIRON, catalogue) as gateway:
        yield gateway


@pytest.fixture
def caller(platform: Platform, _strict: RunningGateway) -> Iterator[Caller]:
    yield _strict.caller
    _strict.assert_idle()


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize("bad", CASES.values(), ids=CASES.keys())
def test_it_is_refused_in_the_platforms_shape(
    caller: Caller, sandbox: Sandbox, bad: Bad, accept: str
) -> None:
    status, error, reason, proxy_error = bad.refusal
    with counting(caller) as changes:
        reply = bad.send(caller, accept)
    assert (reply.status, reply.error) == (status, error)
    assert (reply.header("content-type") or "").startswith(accept)
    assert reply.error_text.startswith("gateway: ")
    assert reply.header("proxy-status") == f"gateway; error={proxy_error}"
    assert reply.header("cache-status") == f"gateway; detail={reason}"
    assert reply.header("gateway-flight") is None
    assert reply.header("request-id")
    assert changes.requests == {(bad.label, str(error), "gateway"): 1}
    assert not list(sandbox.calls)
    assert caller.json("databases/get", id=1).error == 0


def test_405_says_what_is_allowed(caller: Caller) -> None:
    read = caller.get("/api/v1.1/databases/get")
    write = caller.get("/api/v1.1/profiles/import")
    assert (read.header("allow"), write.header("allow")) == ("POST, QUERY", "POST")


def test_malformed_xml_without_accept_is_answered_in_the_default_format(
    caller: Caller, gateway_with: GatewayWith
) -> None:
    assert caller.call("databases/get", "<xml>", content_type=XML).json()["error"] == 400
    like_the_request = gateway_with(replies={"default_format": "as_request"})
    assert like_the_request.call("databases/get", "<xml>", content_type=XML).xml().findtext("error") == "400"


def test_a_bad_request_id_is_not_echoed(caller: Caller) -> None:
    reply = caller.json("databases/get", ("Request-ID", "mine,theirs"), id=1)
    assert "mine" not in (reply.header("request-id") or "")


@pytest.mark.parametrize(
    "headers",
    [
        (("Content-Type", "text/plain"),),
        (*IN_JSON, ("Content-Encoding", "gzip")),
        (*IN_JSON, ("Content-Length", str(10**9))),
    ],
    ids=["type", "encoding", "length"],
)
def test_a_refusal_carries_the_callers_own_id(caller: Caller, headers: tuple[Header, ...]) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"POST {BASE}databases/get HTTP/1.1\r\nHost: {caller.authority}\r\nRequest-ID: mine\r\n{lines}\r\n"
    reply = caller.exchange(head.encode())
    assert (reply.status in (413, 415), reply.header("request-id")) == (True, "mine")


@pytest.mark.parametrize(
    "path", ["/livez", "/metrics", "/readyz", "/-/", "/api/download/a", "/", "/elsewhere"]
)
def test_every_path_is_closed_to_another_host_and_to_pages(caller: Caller, path: str) -> None:
    assert caller.send("GET", path, b"", hosts=["evil.example"]).status == 403
    assert caller.get(path, ("Origin", "https://evil.example")).status == 403
    assert caller.get(path, ("Sec-Fetch-Site", "cross-site")).status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:65535", "[::1]:8080"])
def test_an_allowed_host_is_taken_whatever_its_port(caller: Caller, host: str) -> None:
    reply = caller.send("POST", f"{BASE}databases/get", b'{"id": 1}', *IN_JSON, hosts=[host])
    assert reply.error == 0


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize(
    "target", ["/", "/api/v1.0/lists/1/import", "/elsewhere", "/api/v1.10/databases/get"]
)
def test_another_path_is_no_call(caller: Caller, sandbox: Sandbox, target: str, accept: str) -> None:
    with counting(caller) as changes:
        reply = caller.send("POST", target, b'{"id": 1}', ("Accept", accept), *IN_JSON)
    assert (reply.status, reply.error) == (404, 404)
    assert reply.error_text.startswith("gateway: ")
    assert reply.header("proxy-status") == "gateway; error=http_request_error"
    assert (changes.requests, list(sandbox.calls)) == ({}, [])


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_what_is_only_looked_at_is_not_posted_to(caller: Caller, path: str) -> None:
    reply = caller.send("POST", path, b"{}", *IN_JSON)
    assert (reply.status, reply.error) == (405, 400)
    assert "GET" in (reply.header("allow") or "")


def test_a_control_path_that_does_not_exist_is_said_so(caller: Caller) -> None:
    reply = caller.get("/-/nothing")
    told = "gateway: no endpoint of the gateway; its own page is at /-/"
    assert (reply.status, reply.error, reply.error_text) == (404, 404, told)


def test_a_control_path_that_wants_another_method_says_which(caller: Caller) -> None:
    reply = caller.get("/-/cache/purge")
    assert (reply.status, reply.error, reply.error_text) == (405, 400, "gateway: ask with POST")


def test_a_body_without_a_length_is_counted_while_it_comes(caller: Caller, sandbox: Sandbox) -> None:
    head = f"POST {BASE}databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    piece = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    request = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 11 + b"0\r\n\r\n"
    reply = caller.exchange(request)
    assert (reply.status, reply.error) == (413, 400)
    assert not list(sandbox.calls)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Content-Length: 9\r\nContent-Length: 10", id="two lengths"),
        pytest.param(b"Content-Length: 9\r\nTransfer-Encoding: chunked", id="length and chunked"),
        pytest.param(b"Content-Length: -9", id="a negative length"),
        pytest.param(b"Content-Length: 9\r\nX: a\x00b", id="NUL in a header"),
        pytest.param(b"Content-Length: 9\r\n: nameless", id="a header without a name"),
    ],
)
def test_what_is_no_proper_http_is_refused(caller: Caller, sandbox: Sandbox, head: bytes) -> None:
    start = b"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert caller.exchange(start + head + b'\r\n\r\n{"id": 1}').status == 400
    assert not list(sandbox.calls)
    assert caller.json("databases/get", id=1).error == 0


@pytest.mark.parametrize("target", [b"databases\x00get", b"databases/get\x00", b"data bases"])
def test_raw_control_characters_in_the_path_are_refused(
    caller: Caller, sandbox: Sandbox, target: bytes
) -> None:
    request = b"POST /api/v1.1/" + target + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    assert caller.exchange(request).status == 400
    assert not list(sandbox.calls)
    assert caller.json("databases/get", id=1).error == 0


def test_a_body_that_does_not_come_in_time_is_not_waited_for(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(limits={"body_timeout": "100ms"})
    head = f"POST {BASE}databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    with counting(caller) as changes, caller.connected() as connection:
        connection.sendall(head.encode() + b'Content-Length: 9\r\n\r\n{"id"')
        reply = read_reply(connection)
    assert (reply.status, reply.error) == (408, 400)
    assert changes.requests == {("databases/get", "400", "gateway"): 1}
    assert not list(sandbox.calls)
