"""The listener's limits and manners, over raw sockets: just under each limit passes, just over gets the
documented answer; requests on one connection are answered in order, whatever follows them."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller, Reply, read_reply
from tests.e2e.conftest import ENVIRON, GatewayWith, Platform, settings_for
from tests.e2e.inthread import RunningGateway, running_gateway

HEADER_BYTES, HEADERS = 4096, 20
BODY = b'{"id": 1}'


@pytest.fixture(scope="module")
def _limited(shared_platform: Platform, catalogue: Catalogue) -> Iterator[RunningGateway]:
    settings = settings_for(
        shared_platform.base_url, limits={"header_bytes": "4KiB", "headers": HEADERS, "body_bytes": "1KiB"}
    )
    with running_gateway(settings, ENVIRON, catalogue) as gateway:
        yield gateway


@pytest.fixture
def caller(platform: Platform, _limited: RunningGateway) -> Iterator[Caller]:
    yield _limited.caller
    platform.sandbox.faults.clear()
    _limited.assert_idle()


def request(
    *lines: str, body: bytes = BODY, target: str = "/api/v1.1/databases/get", verb: str = "POST"
) -> bytes:
    """A call, with more header lines."""
    own = ("Host: localhost", f"Content-Type: {JSON}", f"Content-Length: {len(body)}", *lines)
    return (
        (f"{verb} {target} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in own)).encode() + b"\r\n" + body
    )


def refusal(reply: Reply) -> tuple[int, int, str | None]:
    assert reply.header("connection") == "close"
    assert reply.error_text.startswith("gateway: ")
    return reply.status, reply.error, reply.header("proxy-status")


TOO_LARGE = (431, 400, "gateway; error=http_request_error")


def with_head_of(size: int, target: str = "/api/v1.1/databases/get") -> bytes:
    """A call whose target and fields are so many bytes, as the limit counts them."""
    plain = request("X: ", target=target)
    counted = len(plain) - len(BODY) - len("POST  HTTP/1.1\r\n\r\n")
    return request("X: " + "x" * (size - counted), target=target)


@pytest.mark.parametrize("target", ["/api/v1.1/databases/get", "/api/v1.1/databases/get?q=" + "q" * 1000])
def test_a_head_of_just_the_limit_passes_and_one_byte_more_is_refused(
    caller: Caller, sandbox: Sandbox, target: str
) -> None:
    assert caller.exchange(with_head_of(HEADER_BYTES, target)).error == 0
    assert refusal(caller.exchange(with_head_of(HEADER_BYTES + 1, target))) == TOO_LARGE
    assert len(sandbox.calls) == 1


def test_as_many_fields_as_the_limit_pass_and_one_more_is_refused(caller: Caller, sandbox: Sandbox) -> None:
    more = HEADERS - 3
    assert caller.exchange(request(*(f"A{n}: b" for n in range(more)))).error == 0
    assert refusal(caller.exchange(request(*(f"A{n}: b" for n in range(more + 1))))) == TOO_LARGE
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_the_control_plane_has_the_same_limits(caller: Caller, verb: str) -> None:
    big = request("X: " + "x" * HEADER_BYTES, target="/livez", verb=verb)
    many = request(*["A: b"] * HEADERS, target="/metrics", verb=verb)
    assert [refusal(caller.exchange(one)) for one in (big, many)] == [TOO_LARGE, TOO_LARGE]


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(b"POST /api/v1.1/databases/get HTTP/1.1\r\nX: ", id="a value"),
        pytest.param(b"POST /api/v1.1/databases/get HTTP/1.1\r\nX", id="a name"),
        pytest.param(b"POST /", id="a target"),
        pytest.param(
            b"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n9\r\n" + BODY + b"\r\n0\r\nX: ",
            id="a trailer",
        ),
        pytest.param(
            b"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n9;x=",
            id="a chunk's extension",
        ),
    ],
)
def test_what_never_ends_is_refused_while_it_comes(caller: Caller, sandbox: Sandbox, endless: bytes) -> None:
    with caller.connected() as connection:
        connection.sendall(endless)
        for _ in range(20):
            try:
                connection.sendall(b"x" * 65536)
            except OSError:  # it was ended while we still sent
                break
        reply = read_reply(connection)
    assert (reply.status, reply.error) == (431, 400)
    assert not list(sandbox.calls)


def test_many_trailers_are_refused_and_few_are_dropped(caller: Caller, sandbox: Sandbox) -> None:
    head = request("Transfer-Encoding: chunked", body=b"").replace(b"Content-Length: 0\r\n", b"")
    start = head + b"9\r\n" + BODY + b"\r\n0\r\n"
    few = caller.exchange(start + b"Request-ID: mine\r\nHost: evil.example\r\n\r\n")
    assert (few.error, few.header("request-id") != "mine") == (0, True)
    many = caller.exchange(start + b"A: b\r\n" * HEADERS + b"\r\n")
    assert (many.status, many.error) == (431, 400)
    assert len(sandbox.calls) == 1


def test_a_head_that_does_not_come_in_time_is_not_waited_for(gateway_with: GatewayWith) -> None:
    caller = gateway_with(limits={"head_timeout": "100ms"})
    with caller.connected() as connection:
        connection.sendall(b"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: local")
        assert refusal(read_reply(connection)) == (408, 400, "gateway; error=http_request_error")
        assert connection.recv(1) == b""
    with caller.connected() as silent:
        assert silent.recv(1) == b"", "who says nothing is told nothing"


def test_the_time_for_a_head_begins_with_each_request(gateway_with: GatewayWith) -> None:
    caller = gateway_with(limits={"head_timeout": "100ms"})
    with caller.connected() as connection:
        connection.sendall(request())
        assert read_reply(connection).error == 0
        connection.sendall(request()[:30])
        assert read_reply(connection).status == 408


def test_connections_beyond_the_limit_are_told_so(gateway_with: GatewayWith) -> None:
    caller = gateway_with(limits={"connections": 3})
    with ExitStack() as stack:
        held = [stack.enter_context(caller.connected()) for _ in range(3)]
        for connection in held:  # each is there: it has answered
            connection.sendall(request())
            assert read_reply(connection).error == 0
        full = caller.exchange(request())
        assert refusal(full) == (503, 503, "gateway; error=connection_limit_reached")
        assert full.header("retry-after") == "1"
        held[0].sendall(request())
        assert read_reply(held[0]).error == 0


def in_a_row(connection: socket.socket, count: int) -> list[Reply]:
    """So many answers that follow one another on a connection."""
    replies = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            status = int(stream.readline().split()[1])
            headers = http.client.parse_headers(stream)
            fields = tuple((name.lower(), value) for name, value in headers.items())
            replies.append(Reply(status, fields, stream.read(int(headers["content-length"]))))
    return replies


def test_requests_on_one_connection_are_answered_in_their_order(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    names = [f"r{number}" for number in range(50)]
    with caller.connected() as connection:
        connection.sendall(b"".join(request(f"Request-ID: {name}") for name in names))
        sandbox.calls.arrived(1).result(PATIENCE)
        assert len(sandbox.calls) == 1, "the second is not begun before the first is answered"
        sandbox.faults.release()
        assert [reply.header("request-id") for reply in in_a_row(connection, len(names))] == names


def test_requests_of_both_planes_may_follow_one_another(caller: Caller) -> None:
    with caller.connected() as connection:
        live = request(target="/livez", verb="GET", body=b"")
        connection.sendall(live + request() + live + request(target="/elsewhere") + request())
        statuses = [reply.status for reply in in_a_row(connection, 5)]
    assert statuses == [200, 200, 200, 404, 200]


@pytest.mark.parametrize("junk", [b"junk\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\x00\x01\x02", b"{}"])
def test_junk_behind_a_call_is_refused_after_the_call_was_answered(
    caller: Caller, sandbox: Sandbox, junk: bytes
) -> None:
    with caller.connected() as connection:
        connection.sendall(request("Request-ID: first") + junk)
        first, second = in_a_row(connection, 2)
        assert connection.recv(1) == b""
    assert (first.status, first.header("request-id")) == (200, "first")
    assert refusal(second) == (400, 400, "gateway; error=http_request_error")
    assert len(sandbox.calls) == 1


def test_what_follows_the_last_request_is_not_read(caller: Caller, sandbox: Sandbox) -> None:
    with caller.connected() as connection:
        connection.sendall(request("Connection: close") + request())
        (only,) = in_a_row(connection, 1)
    assert (only.error, only.header("connection")) == (0, "close")
    assert len(sandbox.calls) == 1


def test_a_caller_of_http_1_0_gets_one_answer(caller: Caller) -> None:
    with caller.connected() as connection:
        connection.sendall(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        reply = read_reply(connection)
        assert connection.recv(1) == b""
    assert (reply.error, reply.header("connection")) == (0, "close")


def test_a_head_request_is_answered_without_a_body(caller: Caller) -> None:
    with caller.connected() as connection:
        connection.sendall(request(verb="HEAD", body=b"") + request())
        with connection.makefile("rb") as stream:
            assert b" 405 " in stream.readline()
            assert int(http.client.parse_headers(stream)["content-length"]) > 0
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"


def test_who_asks_before_it_sends_is_told_to_only_if_its_call_is_taken(
    caller: Caller, sandbox: Sandbox
) -> None:
    asking = request("Expect: 100-continue").removesuffix(BODY)
    with caller.connected() as connection:
        connection.sendall(asking)
        assert connection.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY + request())
        assert [reply.error for reply in in_a_row(connection, 2)] == [0, 0]
    with caller.connected() as connection:
        connection.sendall(asking.replace(b"Content-Length: 9", b"Content-Length: 2000"))
        (refused,) = in_a_row(connection, 1)
    assert (refused.status, refused.header("connection")) == (413, "close")
    assert len(sandbox.calls) == 2


def test_a_body_that_is_refused_by_its_length_does_not_end_the_connection(caller: Caller) -> None:
    with caller.connected() as connection:
        connection.sendall(request(body=b"x" * 2000) + request())
        assert [reply.status for reply in in_a_row(connection, 2)] == [413, 200]


@pytest.mark.parametrize("offer", ["Upgrade: h2c", "UPGRADE: h2c", "uPgRaDe:websocket"])
@pytest.mark.parametrize("cut", [0, 40, 75, 100, 130, 150, 170])
def test_an_offer_to_upgrade_is_passed_over_wherever_the_segments_end(
    caller: Caller, sandbox: Sandbox, offer: str, cut: int
) -> None:
    connections = "Connection: Upgrade, HTTP2-Settings"
    call = request(connections, offer, "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    with caller.connected() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if cut:
            connection.sendall(call[:cut])
            # Another connection's call says that the first segment was read.
            assert caller.get("/livez").status == 200
        connection.sendall(call[cut:] + request())
        assert [reply.error for reply in in_a_row(connection, 2)] == [0, 0]
    assert [call.params["id"] for call in sandbox.calls] == [1, 1]


def test_connect_is_refused(caller: Caller) -> None:
    reply = caller.exchange(b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert refusal(reply) == (400, 400, "gateway; error=http_request_error")
