"""What a page in a real Chromium can do to a gateway on the same machine: nothing, from wherever it comes.

`pages/attacks.js` has everything that a page can send. The same attacks reach a server without a door, so
that they prove something. What came of each is written out (`pytest -s`).
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.answering import answering
from tests.e2e.caller import Caller
from tests.e2e.conftest import GatewayWith
from tests.e2e.scraping import scrape_used
from tests.tools import missing, tool

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

ATTACKS = (Path(__file__).parent / "pages" / "attacks.js").read_text()
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync "
    # Chromium would ask its user before a page of the internet may reach this machine. Other browsers do not.
    "--disable-features=LocalNetworkAccessChecks"
)
RESOLVER = "--host-resolver-rules=MAP *.test 127.0.0.1"
REFUSALS = frozenset((403, 405))
HTML = f"<!doctype html><title>page</title><body><script>{ATTACKS}</script>"


@dataclass
class Told:
    """What a page learned of one attack, and what the server answered meanwhile, if the browser tells."""

    learned: str = ""
    statuses: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    chromium = tool("chromium", "Debian: chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright", "make setup-full")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS.split(), RESOLVER])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of a server that hands out the page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = HTML.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def page_at(browser: "Browser", origin: str, *, rebound: bool = False) -> "Iterator[Page]":
    """A page of `origin`; with `rebound`, one that came from elsewhere before its name led here."""
    context = browser.new_context()
    try:
        page = context.new_page()
        if rebound:
            page.route(f"{origin}/", lambda route: route.fulfill(body=HTML, content_type="text/html"))
        page.goto(f"{origin}/")
        if rebound:
            page.unroute(f"{origin}/")
        yield page
    finally:
        context.close()


def attack(page: "Page", target: str) -> dict[str, Told]:
    """Everything at `target`, one after the other. What each told is written out."""
    found: dict[str, Told] = {}
    name = ""

    def note(response: "Response") -> None:
        if urlsplit(response.url).port == urlsplit(target or page.url).port:
            found[name].statuses.append(response.status)

    page.on("response", note)
    for name in page.evaluate("Object.keys(ATTACKS)"):
        found[name] = Told()
        found[name].learned = page.evaluate("([name, to]) => ATTACKS[name](to)", [name, target])
        page.wait_for_timeout(50)  # for what the browser tells us behind the page's back
    page.remove_listener("response", note)
    counted = dict(Counter(status for told in found.values() for status in told.statuses))
    lines = [f"{page.url[:40]} -> {target or 'itself'}: {len(found)} attacks, answered {counted}"]
    lines += [f"  {name:34} {told.statuses} {told.learned[:60]!r}" for name, told in found.items()]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
    return found


@pytest.fixture
def caller(gateway_with: GatewayWith) -> Caller:
    """Of a gateway that keeps reads, so that a purge would be noticed."""
    caller = gateway_with(cache={"enabled": True, "default_ttl": "1h"})
    assert caller.json("databases/get", id=1).error == 0
    return caller


@contextmanager
def nothing_happens(caller: Caller, sandbox: Sandbox) -> Iterator[None]:
    """No call reaches the platform, nothing is purged, nothing read again."""
    calls = len(list(sandbox.calls))
    before = scrape_used(caller)
    yield
    assert len(list(sandbox.calls)) == calls
    kept = caller.json("databases/get", id=1).header("cache-status") or ""
    assert kept.startswith("gateway; hit")
    after = scrape_used(caller)
    for name in ("gateway_cache_invalidations_total", "gateway_config_last_reload_success_timestamp_seconds"):
        assert after.value(name) == before.value(name)
    answered = {
        labels
        for (name, labels), value in after.items()
        if name == "gateway_requests_total"
        and value != before.get((name, labels), 0.0)
        and ("origin", "gateway") not in labels
        and ("origin", "cache") not in labels  # our own question above
    }
    assert not answered


@pytest.mark.parametrize("origin", ["http://evil.test:{}", "http://127.0.0.1:{}", "http://localhost:{}"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_page_from_elsewhere_calls_and_reads_nothing(
    browser: "Browser", site: int, caller: Caller, sandbox: Sandbox, origin: str, name: str
) -> None:
    target = f"http://{name}:{urlsplit(caller.address).port}"
    with nothing_happens(caller, sandbox), page_at(browser, origin.format(site)) as page:
        found = attack(page, target)
    assert {told.learned for told in found.values()} == {""}
    assert {status for told in found.values() for status in told.statuses} <= REFUSALS


def test_a_page_without_an_origin_calls_and_reads_nothing(
    browser: "Browser", site: int, caller: Caller, sandbox: Sandbox
) -> None:
    with nothing_happens(caller, sandbox), page_at(browser, f"http://evil.test:{site}") as page:
        page.evaluate(
            """html => new Promise(resolve => {
                const frame = document.createElement("iframe");
                frame.sandbox = "allow-scripts allow-forms";
                frame.onload = resolve;
                frame.srcdoc = html;
                document.body.append(frame);
            })""",
            HTML,
        )
        frame = page.frames[1]
        assert frame.evaluate("origin") == "null"
        names = frame.evaluate("Object.keys(ATTACKS)")
        learned = {
            name: frame.evaluate("([name, to]) => ATTACKS[name](to)", [name, caller.address])
            for name in names
            if "worker" not in name  # a frame without an origin has none
        }
    assert set(learned.values()) == {""}


@pytest.mark.parametrize("host", ["rebound.test", "localhost.test", "127.0.0.1.test"])
def test_after_dns_rebinding_a_page_gets_refusals_only(
    browser: "Browser", caller: Caller, sandbox: Sandbox, host: str
) -> None:
    """Its requests are of one origin to the browser: no preflight, and whatever comes back can be read."""
    origin = f"http://{host}:{urlsplit(caller.address).port}"
    with nothing_happens(caller, sandbox), page_at(browser, origin, rebound=True) as page:
        found = attack(page, "")
    said = {told.learned for told in found.values()} - {""}
    assert said
    for text in said:
        refusal = json.loads(text)
        assert refusal["error"] == 403
        assert "this host name is not allowed" in refusal["error_text"] or "(Origin)" in refusal["error_text"]
    statuses = Counter(status for told in found.values() for status in told.statuses)
    assert set(statuses) == {403}
    assert statuses[403] > 30


def test_the_same_attacks_reach_a_server_without_a_door(browser: "Browser", site: int) -> None:
    """So the attacks are attacks: 15 of them bring a body without asking anybody."""
    with answering() as server, page_at(browser, f"http://evil.test:{site}") as page:
        attack(page, server.base_url.removesuffix("/api/v1.1"))
    assert len(server.got) >= 15
    assert any(b'"email":"page@example.com"' in body for body in server.got)
