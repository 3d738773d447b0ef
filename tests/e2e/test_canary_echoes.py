"""A platform that shows every token it knows, in every encoding and every part of its answers; and the
gateway shows none of them, whatever format its caller wants. A token that was rotated away is as secret."""

import base64
import http.server
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.e2e.caller import JSON, XML, Caller, Reply
from tests.e2e.conftest import settings_for
from tests.e2e.process import Running, serving
from tests.e2e.scraping import scrape_used
from tests.e2e.test_canary import CANARIES, assert_hidden
from tests.e2e.waiting import until
from tests.tokens.test_redaction import ENCODERS, Encoder

OLD, READER, EU = CANARIES
NEW = "the-token-that-came-after"
ALL = {
    **ENCODERS,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 url-safe": lambda text: base64.urlsafe_b64encode(b"x" + text.encode()).decode(),
    "base64 of a header": lambda text: "Basic " + base64.b64encode(f"me:{text}".encode()).decode(),
}

Answer = tuple[int, dict[str, str], bytes]


def json_text(said: str) -> Answer:
    return 200, {"Content-Type": JSON}, json.dumps({"error": 0, "error_text": said}).encode()


def json_raw(said: str) -> Answer:
    """The encoder's own text between quotes, where that is JSON at all."""
    body = f'{{"error": 0, "error_text": "{said}"}}'
    try:
        json.loads(body)
    except ValueError:
        return json_text(said)
    return 200, {"Content-Type": JSON}, body.encode()


def xml_text(said: str) -> Answer:
    body = f"<xml><error>0</error><error_text>{escape(said)}</error_text></xml>"
    return 200, {"Content-Type": XML}, body.encode()


def names(said: str) -> Answer:
    body = {"error": 0, "error_text": "", said: {said: [said]}}
    return 200, {"Content-Type": JSON}, json.dumps(body).encode()


def headers(said: str) -> Answer:
    shown = json.dumps(said)[1:-1]
    fields = {"Content-Type": f"{JSON}; a={shown}", "Retry-After": shown, "Duplicate-Key": shown}
    return 200, fields, b'{"error": 0}'


def page(said: str) -> Answer:
    return 502, {"Content-Type": "text/html"}, f"<html>{said}</html>".encode()


def garbage(said: str) -> Answer:
    return 200, {"Content-Type": JSON}, said.encode()


def elsewhere(said: str) -> Answer:
    return 302, {"Location": f"https://example.com/{json.dumps(said)[1:-1]}"}, said.encode()


SHAPES: tuple[Callable[[str], Answer], ...] = (
    json_text,
    json_raw,
    xml_text,
    names,
    headers,
    page,
    garbage,
    elsewhere,
)


@dataclass
class Gossip:
    """What the platform says next, to whatever it is asked."""

    encode: Encoder = str
    shape: Callable[[str], Answer] = json_text

    def answer(self) -> Answer:
        return self.shape(" | ".join(self.encode(token) for token in CANARIES))


@contextmanager
def gossiping(gossip: Gossip) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together, else the body waits for a late acknowledgement

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, fields, body = gossip.answer()
            self.send_response_only(status)
            for name, value in {**fields, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """A test's output is its failures."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api/v1.1"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("log", ["json", "text"])
def test_no_token_that_the_platform_shows_gets_through(tmp_path: Path, log: str) -> None:
    gossip, token = Gossip(), tmp_path / "token"
    token.write_text(OLD)
    with gossiping(gossip) as base_url:
        settings = settings_for(
            base_url,
            token={"file": str(token)},
            tokens={"reader": {"env": "READER"}},
            accounts={
                "eu": {"base_url": base_url, "token": {"env": "EU"}, "tokens": {"reader": {"env": "READER"}}}
            },
            methods={"databases/get": {"token": "reader"}},
            log={"format": log, "level": "debug"},
            dedup={"enabled": True, "journal": str(tmp_path / "journal")},
        )
        with serving(tmp_path, settings, {"READER": READER, "EU": EU}) as gateway:
            rotate(gateway, token)
            for encode in ALL.values():
                for shape in SHAPES:
                    gossip.encode, gossip.shape = encode, shape
                    for reply in asked(gateway.caller, downloads=shape in (page, elsewhere)):
                        assert_hidden(repr(reply.headers), f"headers: {shape.__name__}")
                        assert_hidden(reply.body, f"body: {shape.__name__}")
            for path in ("/readyz?verbose", "/metrics", "/-/status.json", "/-/"):
                assert_hidden(gateway.caller.get(path).body, path)
            masked = scrape_used(gateway.caller).value("gateway_redactions_total", sink="reply")
            journal = b"".join(file.read_bytes() for file in tmp_path.glob("journal*"))
            assert gateway.stop(signal.SIGTERM) == 0
    # Each of the five shapes that are replies, for each of the calls, shows all three at least once.
    assert masked >= 3 * 3 * len(ALL)
    assert journal
    assert_hidden(journal, "the journal")
    assert_hidden(gateway.log, "the log")
    assert_hidden(gateway.stderr.read_text(), "stderr")


def rotate(gateway: Running, token: Path) -> None:
    """From here on the first of them is no longer used."""
    token.write_text(NEW)
    labels = {"account": "default", "token": "default"}
    until(
        lambda: scrape_used(gateway.caller).value("gateway_token_rotations_total", **labels) == 1,
        "the token is replaced",
    )


def asked(caller: Caller, *, downloads: bool) -> Iterator[Reply]:
    """Reads and writes, in both formats and in none of ours, of both accounts. A finished file is passed on
    as it comes, so downloads are asked for where there is none."""
    eu = Caller(caller.address, base_path="/accounts/eu/api/v1.1/")
    yield caller.json("databases/get", id=1)
    yield caller.call("databases/get", '{"id": 1}', ("Accept", XML))
    yield caller.json("profiles/import", db_id=1, email="jim@example.com", data={})
    yield eu.call("profiles/import?format=csv", '{"db_id": 1}')
    if downloads:
        yield caller.get("/api/download/data/report.csv")
