"""The status page. What an operator looks for first stands first: is it well, and if not, whose turn is it;
then the traffic, the methods, the calls that failed, and last what is set up how.

Made anew on the server each time: filter and order are parameters of the URL, so that all of it works without
a script; the script only fetches the page again and puts what has changed in place.
"""

import asyncio

from gateway.control import charts, tables, wording
from gateway.control.html import Html, h, together
from gateway.control.status import Finding, Status
from gateway.control.view import View

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_WORDS = {"well": "well", "warning": "trouble", "critical": "not well"}
_LEGEND = ("well", "caller", "account", "platform", "gateway")


async def page(status: Status, view: View) -> bytes:
    """The document, in UTF-8. Made bit by bit: a page with many rows must not hold up calls."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("title", f"{_WORDS[status.verdict.level]} · gateway"),
        h("link", rel="icon", href="/-/static/icon.svg", type="image/svg+xml"),
        h("link", rel="stylesheet", href="/-/static/page.css"),
        h("script", src="/-/static/page.js", defer=True),
    )
    body = h("body", _header(status), h("main", await _sections(status, view)), _footer(status))
    return b"<!doctype html>\n" + h("html", head, body, lang="en").markup.encode("utf-8", "replace")


async def _sections(status: Status, view: View) -> list[Html]:
    first = [_verdict(status), _tiles(status)]
    await asyncio.sleep(0)
    calls = _calls(status)
    await asyncio.sleep(0)
    latency = _latency(status)
    await asyncio.sleep(0)
    return [
        *first,
        h("div", calls, latency, class_="pair"),
        await tables.methods(status, view),
        await tables.failures(status, view),
        h(
            "div",
            tables.accounts(status),
            tables.tokens(status),
            tables.stores(status),
            class_="pair",
        ),
        await tables.configuration(status),
    ]


def _header(status: Status) -> Html:
    return h(
        "header",
        h("h1", "Gateway"),
        h(
            "p",
            h("span", f"version {status.version}"),
            h("span", f"up {wording.age(status.uptime_seconds)}"),
            h("span", "ready" if status.ready else "not ready"),
            class_="facts",
            id="facts",
        ),
        h("p", h("noscript", h("a", "Reload", href=""), " to see what is new."), id="live"),
    )


def _verdict(status: Status) -> Html:
    verdict = status.verdict
    return h(
        "section",
        h("h2", h("span", class_="lamp", aria_hidden="true"), verdict.headline, id="headline", role="status"),
        h("ul", [_finding(finding) for finding in verdict.findings]) if verdict.findings else None,
        class_=f"verdict {verdict.level}",
        aria_labelledby="headline",
    )


def _finding(finding: Finding) -> Html:
    return h("li", h("span", finding.turn, class_=f"turn {finding.turn}"), " ", finding.text)


def _tiles(status: Status) -> Html:
    now = status.now
    fill = status.cache.bytes / status.cache.max_bytes if status.cache.max_bytes else 0.0
    failed = "bad" if now.failed_share else ""
    return h(
        "dl",
        _tile("Calls per second", wording.rate(now.calls_per_second), "the last 10 s"),
        _tile(
            "Failed", wording.share(now.failed_share), f"refused {wording.share(now.refused_share)}", failed
        ),
        _tile("Median time", wording.duration(now.p50_seconds), f"p99 {wording.duration(now.p99_seconds)}"),
        _tile("In progress", str(now.in_progress), f"{now.queued} queued"),
        _tile("Writes in flight", str(now.flights_in_progress), "modifying calls"),
        _tile("Cache", wording.share(fill), f"{status.cache.entries} answers"),
        class_="tiles",
    )


def _tile(name: str, value: str, aside: str, mark: str = "") -> Html:
    return h(
        "div", h("dt", name), h("dd", value, class_=f"value {mark}".strip()), h("dd", aside, class_="aside")
    )


def _calls(status: Status) -> Html:
    legend = [h("li", name, class_=f"key {name}") for name in _LEGEND]
    return h(
        "section",
        h("h2", "Calls per second"),
        charts.calls(status.traffic),
        h("ul", legend, class_="legend"),
    )


def _latency(status: Status) -> Html:
    legend = [h("li", "median", class_="key p50"), h("li", "p99", class_="key p99")]
    return h(
        "section",
        h("h2", "Time to answer"),
        charts.latency(status.traffic),
        h("ul", legend, class_="legend"),
    )


def _footer(status: Status) -> Html:
    links = together(
        h("a", "as JSON", href="/-/status.json"),
        h("a", "metrics", href="/metrics"),
        h("a", "readiness", href="/readyz?verbose"),
    )
    facts = (
        f"Started {wording.moment(status.started_at)}. Python {status.python}. "
        f"Event loop late by {wording.duration(status.now.loop_lag_seconds)} at most within a minute. "
        f"Times are UTC."
    )
    return h("footer", h("p", facts), h("nav", links, aria_label="More"))
