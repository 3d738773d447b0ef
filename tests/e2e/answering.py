"""A platform that answers every call with the same bytes, right or wrong, and counts what it gets."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}


@dataclass
class Answering:
    """Where it is, what it answers, and the bodies that it got."""

    base_url: str = ""
    body: bytes = b'{"error":0,"error_text":""}'
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_HEADERS)
    got: list[bytes] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)


@contextmanager
def answering() -> Iterator[Answering]:
    platform = Answering()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together, else the body waits for a late acknowledgement

        def do_POST(self) -> None:
            platform.heads.append(f"{self.requestline}\n{self.headers}")
            platform.got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            for name, value in platform.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(platform.body)))
            self.end_headers()
            self.wfile.write(platform.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A gateway that hangs up on too large a reply is what the tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        platform.base_url = f"http://127.0.0.1:{server.server_port}/api/v1.1"
        try:
            yield platform
        finally:
            server.shutdown()
            thread.join()
