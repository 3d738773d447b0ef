"""Finished exports: fetched through the gateway, with its token, and from nowhere else."""

import contextlib
import http.client
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, XML, Caller
from tests.e2e.conftest import TOKEN, GatewayWith
from tests.e2e.waiting import until


def exported(caller: Caller) -> str:
    """The path of a finished export, the way an application gets it."""
    task = caller.json("profiles/get_all", source_type="database", source_id=1, file_format="json")
    task_id = task.json()["data"]["task_id"]

    def result() -> Any:
        return caller.json("tasks/status", task_id=task_id).json()["data"]["result"]

    return urlsplit(str(until(result, "the export ends")["urls"][0])).path


def test_an_export_is_started_watched_and_fetched_through_the_gateway(caller: Caller) -> None:
    reply = caller.get(exported(caller))
    assert (reply.status, reply.header("content-type")) == (200, "application/json; charset=utf-8")
    emails = {profile["email"] for profile in json.loads(reply.body)}
    assert "customer50@example.com" in emails
    assert TOKEN.encode() not in reply.body


def test_the_callers_token_is_dropped_from_a_download(caller: Caller) -> None:
    path = exported(caller)
    headers = ("Authorization", "Bearer their-own-token"), ("Cookie", "token=their-own-token")
    assert caller.get(f"{path}?token=their-own-token", *headers).status == 200


def test_the_platform_gets_the_token_in_the_header_and_nothing_of_the_callers(
    gateway_with: GatewayWith,
) -> None:
    with file_server() as (base_url, seen):
        caller = gateway_with(upstream={"base_url": base_url})
        headers = ("Authorization", "Bearer their-own-token"), ("Range", "bytes=0-1"), ("Cookie", "a=b")
        reply = caller.get("/api/download/data/report.csv?a=1&token=their-own-token", *headers)
    assert (reply.status, reply.body) == (200, b"a,b\r\n1,2\r\n")
    assert reply.header("content-disposition") == "attachment"
    assert reply.header("set-cookie") is None
    ((target, names),) = seen
    assert target == "/api/download/data/report.csv?a=1"
    names.pop("Content-Length", None)
    assert names == {
        "Host": urlsplit(base_url).netloc,
        "Authorization": f"Bearer {TOKEN}",
        "Accept-Encoding": "identity",
        "User-Agent": "platform-gateway",
    }


def test_a_redirect_is_not_followed_and_not_passed_on(gateway_with: GatewayWith) -> None:
    with file_server() as (base_url, seen):
        caller = gateway_with(upstream={"base_url": base_url})
        reply = caller.get("/api/download/data/moved")
    assert (reply.status, reply.error) == (502, 502)
    assert reply.error_text == "gateway: the platform redirected the download; not followed"
    assert reply.header("location") is None
    assert [target for target, _ in seen] == ["/api/download/data/moved"]


def test_a_large_file_arrives_whole(gateway_with: GatewayWith) -> None:
    with file_server() as (base_url, _):
        caller = gateway_with(upstream={"base_url": base_url}, limits={"reply_bytes": "64KiB"})
        reply = caller.get("/api/download/data/large")
    assert reply.body == LARGE


def test_a_caller_that_leaves_frees_its_place(gateway_with: GatewayWith) -> None:
    with file_server() as (base_url, _):
        caller = gateway_with(upstream={"base_url": base_url, "max_connections": 1})
        with caller.connected() as connection:
            connection.sendall(b"GET /api/download/data/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert caller.get("/api/download/data/report.csv").status == 200


def test_a_download_that_breaks_off_is_not_taken_for_whole(gateway_with: GatewayWith) -> None:
    with file_server() as (base_url, _):
        caller = gateway_with(upstream={"base_url": base_url})
        with pytest.raises(http.client.IncompleteRead):
            caller.get("/api/download/data/cut")


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
def test_a_platform_that_cannot_be_reached_is_an_error_in_its_own_shape(
    gateway_with: GatewayWith, accept: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    caller = gateway_with(upstream={"base_url": f"http://127.0.0.1:{port}/api/v1.1"})
    reply = caller.get("/api/download/data/report.csv", ("Accept", accept))
    assert (reply.status, reply.error) == (502, 502)
    assert reply.header("proxy-status") == "gateway; error=destination_unavailable"


def test_the_platforms_refusal_comes_through(caller: Caller) -> None:
    reply = caller.get("/api/download/data/nothing.csv")
    assert (reply.status, reply.body) == (404, b"no such file\n")


@pytest.mark.parametrize("accept", [JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/download/../v1.1/databases/get",
        "/api/download/data/..",
        "/api/download/./data",
        "/api/download/%2e%2e/v1.1/databases/get",
        "/api/download/data%2f..",
        "/api/download/data\\..",
        "/api/download/",
    ],
)
def test_a_path_that_could_climb_out_is_refused(gateway_with: GatewayWith, path: str, accept: str) -> None:
    with file_server() as (base_url, seen):
        caller = gateway_with(upstream={"base_url": base_url})
        reply = caller.get(path, ("Accept", accept))
    assert (reply.status, reply.error) == (400, 400)
    assert (reply.header("content-type") or "").startswith(accept)
    assert seen == []


def test_a_url_of_too_many_parameters_is_refused(gateway_with: GatewayWith) -> None:
    with file_server() as (base_url, seen):
        caller = gateway_with(upstream={"base_url": base_url})
        reply = caller.get("/api/download/data/report.csv?" + "&" * 1000)
    assert (reply.status, reply.error_text) == (400, "gateway: the URL has more than 1000 parameters")
    assert not seen


def test_only_get_fetches(caller: Caller) -> None:
    reply = caller.send("POST", "/api/download/data/a", b"{}", ("Content-Type", JSON))
    assert (reply.status, reply.error, reply.header("allow")) == (405, 400, "GET")


def test_an_account_has_its_own_downloads(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    with file_server() as (base_url, seen):
        account = {"base_url": base_url, "token": {"env": "READER_TOKEN"}}
        caller = gateway_with(accounts={"eu": account})
        assert caller.get("/accounts/eu/api/download/data/report.csv").status == 200
    ((_, names),) = seen
    assert names["Authorization"] == "Bearer sandbox-reader"
    assert not list(sandbox.calls)


LARGE = bytes(range(256)) * 4096  # more than any buffer on the way

Seen = list[tuple[str, dict[str, str]]]


class _Files(http.server.BaseHTTPRequestHandler):
    """A platform that has files only, some of them strange: `moved`, `large`, `cut`, `endless`."""

    protocol_version = "HTTP/1.1"
    seen: Seen

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers.items())))
        name = self.path.rpartition("/")[2]
        moved, endless = name == "moved", name == "endless"
        body = LARGE if name in ("large", "cut") else b"a,b\r\n1,2\r\n"
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "https://elsewhere.example/file")
        self.send_header("Content-Disposition", "attachment")
        self.send_header("Set-Cookie", "session=1")
        self.send_header("Content-Length", str(2**40 if endless else len(body)))
        self.end_headers()
        self.close_connection = name in ("cut", "endless")
        if endless:
            self._write_until_nobody_reads()
        else:
            self.wfile.write(body[: len(body) // 2] if name == "cut" else body)

    def _write_until_nobody_reads(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                self.wfile.write(LARGE)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the test looks at `seen`."""


@contextmanager
def file_server() -> Iterator[tuple[str, Seen]]:
    """The base URL of a platform with files, and what it was asked."""
    seen: Seen = []
    handler = type("Files", (_Files,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/v1.1", seen
        finally:
            server.shutdown()
            thread.join(PATIENCE)
