"""Who may call what, and in which format."""

from typing import Any

import pytest

from gateway.sandbox.calls import Incoming
from gateway.sandbox.codes import ApiError
from gateway.sandbox.requests import admit, decoded
from gateway.sandbox.tokens import Right, Token, TokenBook

TOKENS = TokenBook([Token("full", "T"), Token("other", "O"), Token("reader", "R", Right.READ)])
JSON = ("content-type", "application/json")


def incoming(body: bytes = b'{"token":"T"}', **given: Any) -> Incoming:
    chosen: dict[str, Any] = {"api_method": "databases/list", "query": (), "headers": (JSON,), **given}
    return Incoming(target=b"/api/v1.1/databases/list", body=body, origin="http://x", **chosen)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_json_is_read(content_type: str) -> None:
    assert decoded(incoming(headers=(("content-type", content_type),))) == {"token": "T"}


def test_xml_is_read() -> None:
    request = incoming(b"<xml><token>T</token></xml>", headers=(("content-type", "application/xml"),))
    assert decoded(request) == {"token": "T"}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="none"),
        pytest.param((("content-type", "text/plain"),), id="text"),
        pytest.param((("content-type", "text/xml"),), id="the other XML type"),
        pytest.param((("content-type", "application/x-www-form-urlencoded"),), id="a form"),
        pytest.param((("content-type", "application/json; charset=koi8-r"),), id="another charset"),
        pytest.param((JSON, ("content-encoding", "gzip")), id="compressed"),
    ],
)
def test_other_content_types_are_not_supported(headers: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ApiError) as caught:
        decoded(incoming(headers=headers))
    assert caught.value.code == 415


@pytest.mark.parametrize(
    ("body", "bearer", "query", "name", "places"),
    [
        pytest.param("T", None, None, "full", ("body",), id="in the body"),
        pytest.param(None, "Bearer T", None, "full", ("header",), id="in the header"),
        pytest.param(None, "bearer T", None, "full", ("header",), id="the scheme's case is free"),
        pytest.param(None, None, "T", "full", ("query",), id="in the address"),
        pytest.param("T", "Bearer O", None, "full", ("body", "header"), id="the body before the header"),
        pytest.param(None, "Bearer T", "O", "full", ("header", "query"), id="the header before the address"),
    ],
)
def test_where_a_token_may_be(
    body: str | None, bearer: str | None, query: str | None, name: str, places: tuple[str, ...]
) -> None:
    headers = (JSON, ("authorization", bearer)) if bearer else (JSON,)
    request = incoming(headers=headers, query=(("token", query),) if query else ())
    admitted = admit(request, {"token": body} if body else {}, TOKENS)
    assert (admitted.token.name, admitted.token_places) == (name, places)


@pytest.mark.parametrize("fields", [{}, {"token": ""}, {"token": "wrong"}, {"token": ["T"]}])
def test_a_missing_or_unknown_token_is_refused(fields: Any) -> None:
    with pytest.raises(ApiError) as caught:
        admit(incoming(), fields, TOKENS)
    assert caught.value.code == 401


def test_a_wrong_token_in_the_body_is_not_saved_by_a_right_one_in_the_header() -> None:
    with pytest.raises(ApiError) as caught:
        admit(incoming(headers=(JSON, ("authorization", "Bearer T"))), {"token": "old"}, TOKENS)
    assert caught.value.code == 401


def test_neither_token_nor_format_is_a_parameter() -> None:
    admitted = admit(incoming(), {"token": "T", "format": "xml", "limit": 5}, TOKENS)
    assert admitted.params == {"limit": 5}


@pytest.mark.parametrize(
    ("url", "body", "chosen"),
    [
        pytest.param(None, None, "json", id="json by default"),
        pytest.param(None, "xml", "xml", id="by the body"),
        pytest.param("xml", None, "xml", id="by the address"),
        pytest.param("json", "xml", "json", id="the address before the body"),
    ],
)
def test_the_format_of_the_reply(url: str | None, body: str | None, chosen: str) -> None:
    request = incoming(query=(("format", url),) if url else ())
    assert admit(request, {"token": "T", "format": body}, TOKENS).format == chosen


def test_csv_is_only_for_the_history_of_all() -> None:
    query = (("format", "csv"),)
    with pytest.raises(ApiError):
        admit(incoming(query=query), {"token": "T"}, TOKENS)
    request = incoming(query=query, api_method="subscribers/history_get_all")
    assert admit(request, {"token": "T"}, TOKENS).format == "csv"


def test_a_role_without_the_right_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        admit(incoming(api_method="profiles/add"), {"token": "R"}, TOKENS)
    assert caught.value.code == 403


def test_an_unknown_method_is_told_only_to_who_has_a_token() -> None:
    request = incoming(api_method="profiles/no_such")
    with pytest.raises(ApiError) as known:
        admit(request, {"token": "T"}, TOKENS)
    with pytest.raises(ApiError) as stranger:
        admit(request, {}, TOKENS)
    assert (known.value.code, stranger.value.code) == (501, 401)
