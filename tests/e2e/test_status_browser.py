"""The status page in Chromium: it loads, keeps itself up to date, filters, sorts, needs nothing from
elsewhere, and can be used by everybody."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.caller import Caller
from tests.e2e.conftest import TOKEN, GatewayWith
from tests.e2e.test_status_page import BURST
from tests.e2e.waiting import until
from tests.tools import missing, tool

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.full

FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    chromium = tool("chromium", "Debian: chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright", "make setup-full")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    npm = tool("npm", "Debian: npm")
    subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core"],
        check=True,
        capture_output=True,
        timeout=100,
    )
    return Path(folder, "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture
def busy(gateway_with: GatewayWith) -> Caller:
    """A gateway to which something has happened."""
    caller = gateway_with()
    for name, body, _ in BURST:
        caller.json(name, **body)
    caller.json("databases/get", id=1)
    return caller


@dataclass
class Visit:
    """A page, and what came of opening it."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def methods(self) -> list[str]:
        methods: list[str] = self.page.locator("#methods tbody th").all_inner_texts()
        return methods

    def wait(self, condition: str) -> None:
        """Until a condition in JavaScript is true. Asked from outside: the page's policy lets it evaluate
        nothing itself."""
        until(lambda: self.page.evaluate(condition), condition)


@contextmanager
def visiting(browser: "Browser", caller: Caller, **screen: Any) -> Iterator[Visit]:
    context = browser.new_context(**screen)
    visit = Visit(context.new_page())
    visit.page.on("console", lambda message: visit.complaints.append(message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", lambda request: visit.addresses.append(request.url))
    visit.page.goto(f"{caller.address}/-/")
    yield visit
    context.close()


def count(number: int) -> str:
    return f"document.querySelectorAll('#methods tbody tr').length === {number}"


def test_it_keeps_itself_up_to_date_and_asks_nobody_else(browser: "Browser", busy: Caller) -> None:
    with visiting(browser, busy) as visit:
        assert sorted(visit.methods()) == ["databases/get", "profiles/add", "profiles/get"]
        visit.wait("document.querySelector('#live').textContent.startsWith('live')")
        busy.json("segments/get", id=1)
        visit.wait(count(4))
        visit.wait("document.querySelectorAll('.chart rect').length > 0")
        assert visit.complaints == []
        assert len(visit.addresses) > 4
        assert {
            address for address in visit.addresses if not address.startswith(f"{busy.address}/-/")
        } == set()
        assert TOKEN not in visit.page.content()


def test_it_filters_while_somebody_types_and_keeps_the_focus(browser: "Browser", busy: Caller) -> None:
    with visiting(browser, busy) as visit:
        # No request id, which is looked into as well, has a slash.
        visit.page.locator("#q").press_sequentially("profiles/a")
        visit.wait(count(1))
        assert visit.methods() == ["profiles/add"]
        assert visit.page.locator("#failures tbody tr").count() == 1
        assert visit.page.url.endswith("?q=profiles%2Fa&window=5m&sort=-calls")
        assert visit.page.evaluate("document.activeElement.id") == "q"
        assert visit.complaints == []


def test_it_sorts_by_a_column(browser: "Browser", busy: Caller) -> None:
    with visiting(browser, busy) as visit:
        visit.page.locator("#sort-method").click()
        visit.wait("document.querySelector('[aria-sort] a').id === 'sort-method'")
        first = visit.methods()
        visit.page.locator("#sort-method").click()
        visit.wait(f"document.querySelector('#methods tbody th').textContent !== {first[0]!r}")
        assert visit.methods() == first[::-1] == sorted(first, reverse=first[0] < first[-1])
        assert visit.complaints == []


def test_what_was_opened_stays_open_and_a_pause_is_one(browser: "Browser", busy: Caller) -> None:
    with visiting(browser, busy) as visit:
        visit.page.locator("summary").click()
        busy.json("segments/get", id=1)
        visit.wait(count(4))
        assert visit.page.locator("details[open]").count() == 1
        visit.page.get_by_role("button", name="Pause").click()
        visit.wait("document.querySelector('#live').textContent.startsWith('paused')")
        before = len(visit.addresses)
        visit.page.get_by_role("button", name="Go on").click()
        visit.wait("document.querySelector('#live').textContent.startsWith('live')")
        assert len(visit.addresses) > before


def test_without_a_script_it_says_the_same_and_can_be_filtered(browser: "Browser", busy: Caller) -> None:
    with visiting(browser, busy, java_script_enabled=False) as visit:
        assert sorted(visit.methods()) == ["databases/get", "profiles/add", "profiles/get"]
        visit.page.locator("#q").fill("435")
        visit.page.get_by_role("button", name="Filter").click()
        assert visit.methods() == ["profiles/get"]
        visit.page.locator("summary").click()
        assert visit.page.get_by_text("upstream.base_url").is_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_it_can_be_used_by_everybody(browser: "Browser", axe: str, busy: Caller, screen: str) -> None:
    with visiting(browser, busy, **SCREENS[screen]) as visit:
        visit.wait("document.querySelectorAll('.chart rect').length > 0")
        visit.page.locator("summary").click()
        visit.page.evaluate(axe)
        found = visit.page.evaluate("axe.run()")
        serious = [
            (one["id"], one["nodes"][0]["html"])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert len(found["passes"]) > 20
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        assert width == SCREENS[screen]["viewport"]["width"]
