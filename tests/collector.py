"""Where spans arrive: a receiver of OTLP over HTTP that decodes the real protobuf, and rotel, a collector
that forwards to it. Both on free loopback ports, ended with the test."""

import gzip
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.waiting import until
from tests.tools import missing

PATIENCE = 20.0  # seconds

Value = str | int | float | bool


@dataclass(frozen=True)
class Arrived:
    """One span as a backend sees it."""

    name: str
    kind: str  # SERVER or CLIENT
    trace_id: str
    span_id: str
    parent_id: str
    links: tuple[tuple[str, str], ...]  # trace and span ids
    start: int
    end: int
    failed: bool
    attributes: dict[str, Value] = field(hash=False)
    resource: dict[str, Value] = field(hash=False, repr=False)


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A gateway that is killed leaves broken connections."""


class Receiver:
    """Takes spans. While `refusing` is set it answers with that status instead."""

    def __init__(self) -> None:
        self.refusing: int | None = None
        self.raw: list[bytes] = []  # the bodies, not compressed
        self.headers: list[dict[str, str]] = []
        self._spans: list[Arrived] = []
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together, else the body waits for a late acknowledgement

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status = receiver.refusing or receiver.take(self.path, body, dict(self.headers.items()))
                content = ExportTraceServiceResponse().SerializeToString()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="receiver")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """What has a gateway send its spans here, soon."""
        return environ(self.address)

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        if path != "/v1/traces":
            return 404
        spans = list(_arrived(ExportTraceServiceRequest.FromString(body)))
        with self._arrived:
            self.raw.append(body)
            self.headers.append(headers)
            self._spans += spans
            self._arrived.notify_all()
        return 200

    def await_spans(self, count: int) -> list[Arrived]:
        """All that arrived, as soon as there are `count`."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self._spans) >= count, PATIENCE)
            assert enough, f"{len(self._spans)} of {count} spans arrived: {self._spans}"
            return list(self._spans)

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def environ(address: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "20"}


def _arrived(request: ExportTraceServiceRequest) -> Iterator[Arrived]:
    for of_resource in request.resource_spans:
        resource = _values(of_resource.resource.attributes)
        for scope in of_resource.scope_spans:
            for span in scope.spans:
                yield Arrived(
                    name=span.name,
                    kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    failed=span.status.code == Status.StatusCode.STATUS_CODE_ERROR,
                    attributes=_values(span.attributes),
                    resource=resource,
                )


def _values(attributes: Sequence[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in attributes}


def _value(value: AnyValue) -> Value:
    found = getattr(value, value.WhichOneof("value") or "string_value")
    assert isinstance(found, (str, int, float, bool))
    return found


@contextmanager
def rotel(folder: Path, receiver: Receiver) -> Iterator[str]:
    """The address of a collector that hands on what it gets to `receiver`."""
    spec = find_spec("rotel")
    if spec is None or spec.origin is None:
        missing("rotel", "PyPI: rotel")
    grpc, http = _free_port(), _free_port()
    with (folder / "rotel.log").open("wb") as log:
        process = subprocess.Popen(
            [
                str(Path(spec.origin).with_name("rotel-agent")),
                *("start", "--pid-file", str(folder / "rotel.pid"), "--log-file", str(folder / "agent.log")),
                *("--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}"),
                *("--exporter", "otlp", "--otlp-exporter-protocol", "http"),
                *("--otlp-exporter-endpoint", receiver.address, "--batch-timeout", "20ms"),
            ],
            stdout=log,
            stderr=log,
            env={"HOME": str(folder)},
            cwd=folder,
        )
    try:
        until(lambda: _listens(process, http, folder), "rotel listens")
        yield f"http://127.0.0.1:{http}"
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


def _listens(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> bool:
    assert process.poll() is None, (folder / "rotel.log").read_text()
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
