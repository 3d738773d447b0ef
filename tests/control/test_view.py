"""gateway.control.view: the parameters of the page's URL."""

import pytest

from gateway.control.view import View
from tests.control.samples import failure, method

ROWS = (
    method("profiles/get", 10, failed=2, codes={"404": 2}, p50_seconds=0.3, hit_ratio=0.5),
    method("databases/get", 30, p50_seconds=0.1),
    method("profiles/add", 20, failed=5, codes={"402": 4}, errors={"upstream-reset": 1}, p50_seconds=0.2),
)


def names(**query: str) -> list[str]:
    return [row.api_method for row in View.of(query).methods(ROWS)]


def test_the_busiest_comes_first() -> None:
    assert names() == ["databases/get", "profiles/add", "profiles/get"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("method", "databases/get"),
        ("-method", "profiles/get"),
        ("-failed", "profiles/add"),
        ("p50", "databases/get"),
        ("-p50", "profiles/get"),
        ("-hits", "profiles/get"),
    ],
)
def test_it_sorts(sort: str, first: str) -> None:
    assert names(sort=sort)[0] == first


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("profiles", ["profiles/add", "profiles/get"]),
        ("PROFILES/G", ["profiles/get"]),
        ("402", ["profiles/add"]),
        ("reset", ["profiles/add"]),
        ("nothing like it", []),
    ],
)
def test_it_filters_by_method_code_and_reason(text: str, found: list[str]) -> None:
    assert names(q=text) == found


def test_it_shows_only_what_fails() -> None:
    assert names(failing="1") == ["profiles/add", "profiles/get"]


@pytest.mark.parametrize("text", ["404", "profiles/get", "second", "shop", "0192", "upstream-reset"])
def test_failed_calls_are_found_by_what_is_said_of_them(text: str) -> None:
    wanted = failure(account="second", caller="shop", error="upstream-reset")
    other = failure(api_method="a/b", called="a/b", code=402, request_id="77", error="x")
    assert View(text=text).failures((wanted, other)) == [wanted]


@pytest.mark.parametrize("query", [{"sort": "x"}, {"sort": "--p50"}, {"window": "1y"}, {"failing": "yes"}])
def test_what_cannot_be_understood_counts_as_not_said(query: dict[str, str]) -> None:
    assert View.of(query) == View()


def test_a_link_says_only_what_is_not_usual_and_escapes_it() -> None:
    assert View().link() == "./"
    assert View(text="a&b=c").link(sort="p50", failing=True) == "?q=a%26b%3Dc&failing=1&sort=p50"
    assert View(window="1m").link(window="5m") == "./"


def test_a_view_comes_back_from_its_link() -> None:
    view = View(window="1m", sort="-p99", text="402", failing=True)
    query = dict(pair.split("=") for pair in view.link()[1:].split("&"))
    assert View.of(query) == view
