"""The tables of the status page."""

from collections.abc import Iterable
from functools import cache

from gateway.control import wording
from gateway.control.html import Html, gently, h
from gateway.control.report import WINDOWS
from gateway.control.status import FailedCall, MethodRow, Status, TokenRow
from gateway.control.view import View
from gateway.observe.blame import MEANINGS, turn
from gateway.settings.model import Settings
from gateway.settings.shown import flat, shown

_WINDOW_WORDS = {"1m": "1 min", "5m": "5 min", "start": "since start"}
_METHOD_COLUMNS = (
    ("method", "Method", ""),
    ("calls", "Calls/s", "number"),
    ("failed", "Not 0", "number"),
    ("", "Codes", ""),
    ("hits", "From memory", "number"),
    ("p50", "Median", "number"),
    ("p99", "p99", "number"),
)


async def methods(status: Status, view: View) -> Html:
    """One row for each method that was called within the window."""
    rows = view.methods(status.methods)
    heads = [_sortable(view, by, name, kind) for by, name, kind in _METHOD_COLUMNS]
    none = "No method matches." if status.methods else "No calls yet."
    return h(
        "section",
        h("h2", "Methods"),
        _controls(view),
        _table("Methods", heads, await gently(_method, rows), none),
        id="methods",
    )


async def failures(status: Status, view: View) -> Html:
    """The calls that failed last."""
    rows = view.failures(status.failures)
    names = ("Time", "Code", "Method", "Turn", "Took", "Why", "Account", "Caller", "Request-ID")
    heads = [h("th", name, scope="col", class_="number" if name == "Took" else None) for name in names]
    none = "None matches." if status.failures else "None yet."
    return h(
        "section",
        h("h2", "Calls that did not end with 0, the latest first"),
        _table("Failed calls", heads, await gently(_failure, rows), none),
        id="failures",
    )


def accounts(status: Status) -> Html:
    rows = [
        h(
            "tr",
            h("th", row.name, scope="row"),
            h("td", row.base_url),
            h("td", _mark(row.breaker.replace("_", "-"), row.breaker == "closed")),
            h("td", f"{row.active} busy, {row.idle} idle"),
        )
        for row in status.accounts
    ]
    return _section("Platforms", ("Account", "Address", "Breaker", "Connections"), rows)


def tokens(status: Status) -> Html:
    rows = [
        h(
            "tr",
            h("th", f"{row.account}/{row.name}", scope="row"),
            h("td", row.source),
            h("td", wording.NOTHING if row.age_seconds is None else wording.age(row.age_seconds)),
            h("td", _mark(*_token_state(row, status.time))),
        )
        for row in status.tokens
    ]
    return _section("Tokens", ("Token", "Source", "Age", "State"), rows)


def stores(status: Status) -> Html:
    cache = status.cache
    fill = f"{wording.size(cache.bytes)} of {wording.size(cache.max_bytes)}"
    detail = (
        f"{fill}, {cache.entries} answers, {cache.evictions} evicted, {cache.invalidations} invalidations"
    )
    rows = [
        h(
            "tr",
            h("th", row.name, scope="row"),
            h("td", row.kind),
            h("td", _mark("well" if row.well else "cannot be used", row.well)),
            h("td", detail if row.name == "cache" and cache.enabled else row.detail),
        )
        for row in status.stores
    ]
    return _section("Stores", ("Store", "Kind", "State", ""), rows)


async def configuration(status: Status) -> Html:
    """Every setting; those that are not the default stand out."""
    rows = await gently(_setting, flat(status.configuration))
    state = "in use" if status.reload_successful else "in use; a newer one was refused, the log says why"
    return h(
        "section",
        h(
            "details",
            h(
                "summary",
                h("h2", "Configuration"),
                h("span", f"{state}, loaded {wording.moment(status.reloaded_at)}"),
            ),
            _table(
                "Configuration", [h("th", name, scope="col") for name in ("Setting", "Value", "")], rows, ""
            ),
            id="configuration",
        ),
    )


def _controls(view: View) -> Html:
    windows = [
        h(
            "a",
            _WINDOW_WORDS[name],
            href=view.link(window=name),
            aria_current="true" if name == view.window else None,
        )
        for name in WINDOWS
    ]
    only = h(
        "a",
        "only failing",
        href=view.link(failing=not view.failing),
        aria_current="true" if view.failing else None,
    )
    form = h(
        "form",
        h("label", "Filter by method, code, account or caller", for_="q"),
        h(
            "input",
            type="search",
            id="q",
            name="q",
            value=view.text,
            placeholder="402, profiles/…",
            autocomplete="off",
        ),
        h("input", type="hidden", name="window", value=view.window),
        h("input", type="hidden", name="sort", value=view.sort),
        h("input", type="hidden", name="failing", value="1") if view.failing else None,
        h("button", "Filter", type="submit"),
        method="get",
        action="/-/",
        role="search",
    )
    return h("div", form, h("p", windows, class_="choice"), h("p", only, class_="choice"), class_="controls")


def _sortable(view: View, by: str, name: str, kind: str) -> Html:
    if not by:
        return h("th", name, scope="col")
    largest_first = view.sort == f"-{by}" if by != "method" else view.sort != "method"
    is_sorted = view.sort.removeprefix("-") == by
    following = by if largest_first else f"-{by}"
    direction = "descending" if view.sort.startswith("-") else "ascending"
    link = h("a", name, href=view.link(sort=following), id=f"sort-{by}")
    return h("th", link, scope="col", class_=kind or None, aria_sort=direction if is_sorted else None)


def _method(row: MethodRow) -> Html:
    return h(
        "tr",
        h("th", row.api_method, scope="row"),
        h("td", wording.rate(row.calls_per_second), class_="number", title=f"{row.calls} calls"),
        h("td", wording.share(row.failed / row.calls) if row.failed else "0", class_="number"),
        h("td", h("span", _chips(row), class_="chips")),
        h("td", wording.share(row.hit_ratio), class_="number"),
        h("td", wording.duration(row.p50_seconds), class_="number"),
        h("td", wording.duration(row.p99_seconds), class_="number"),
    )


def _setting(setting: tuple[str, str]) -> Html:
    key, value = setting
    changed = _usual().get(key) != value
    return h(
        "tr",
        h("th", key, scope="row"),
        h("td", h("code", value)),
        h("td", f"default {_usual().get(key, 'none')}" if changed else ""),
        class_="changed" if changed else None,
    )


@cache
def _usual() -> dict[str, str]:
    """The defaults."""
    return dict(flat(shown(Settings())))


def _chips(row: MethodRow) -> Iterable[Html]:
    for reason, count in (*row.codes.items(), *row.errors.items()):
        yield _chip(reason, f"× {count}")


def _chip(reason: str, more: str = "") -> Html:
    return h(
        "span",
        h("b", reason),
        f" {more}" if more else None,
        class_=f"chip {turn(reason)}",
        title=MEANINGS.get(reason, reason),
    )


def _failure(row: FailedCall) -> Html:
    code = wording.NOTHING if row.code is None else str(row.code)
    name = row.called if row.api_method == "other" and row.called else row.api_method
    return h(
        "tr",
        h("td", h("time", wording.clock(row.time), title=wording.moment(row.time))),
        h("td", h("span", h("b", code), class_=f"chip {row.turn}")),
        h("th", name, scope="row"),
        h("td", h("span", row.turn, class_=f"turn {row.turn}")),
        h("td", wording.duration(row.seconds), class_="number"),
        h("td", row.error_text or row.error or MEANINGS.get(code, "")[4:] or row.origin, class_="why"),
        h("td", row.account),
        h("td", row.caller or wording.NOTHING),
        h("td", h("code", row.request_id)),
    )


def _token_state(row: TokenRow, now: float) -> tuple[str, bool]:
    if row.age_seconds is None:
        return row.problem or "not there yet", False
    if row.rejected_at is not None:
        return f"rejected {wording.age(now - row.rejected_at)} ago", False
    return (row.problem, False) if row.problem else ("well", True)


def _mark(text: str, well: bool) -> Html:
    return h("span", text, class_="mark good" if well else "mark bad")


def _section(name: str, names: Iterable[str], rows: list[Html]) -> Html:
    return h("section", h("h2", name), _table(name, [h("th", head, scope="col") for head in names], rows, ""))


def _table(name: str, heads: list[Html], rows: list[Html], none: str) -> Html:
    if not rows:
        return h("p", none, class_="none")
    return h(
        "div",
        h("table", h("thead", h("tr", heads)), h("tbody", rows)),
        class_="scroll",
        role="region",
        aria_label=name,
        tabindex=0,
    )
