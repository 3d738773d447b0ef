"""The status page of a running gateway: what happened to calls is there, and no token is."""

import json
from pathlib import Path
from typing import Any

import lxml.html
import msgspec
import pytest

from gateway.control.status import Status
from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import Caller
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith
from tests.e2e.scraping import counting

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "status.md"

BURST = (
    ("profiles/add", {"db_id": 3, "data": {}}, 402),
    ("databases/get", {"id": 99}, 404),
    ("profiles/get", {"db_id": 1, "email": "twin@example.com"}, 435),
)


def data(caller: Caller, query: str = "") -> Any:
    return caller.get(f"/-/status.json{query}").json()


def shown(caller: Caller, query: str = "") -> lxml.html.HtmlElement:
    reply = caller.get(f"/-/{query}")
    assert (reply.status, reply.header("content-type")) == (200, "text/html; charset=utf-8")
    return lxml.html.document_fromstring(reply.body)


def methods(document: lxml.html.HtmlElement) -> dict[str, list[str]]:
    """The chips of each method."""
    return {
        row[0].text_content(): [chip.text_content() for chip in row.xpath(".//*[contains(@class, 'chip ')]")]
        for row in document.xpath("//*[@id='methods']//tbody/tr")
    }


def test_a_burst_of_codes_is_seen_per_method_in_metric_data_and_page(gateway_with: GatewayWith) -> None:
    caller = gateway_with()
    with counting(caller) as changes:
        for name, body, code in BURST:
            for _ in range(5):
                assert caller.json(name, **body).error == code
    assert changes.requests == {(name, str(code), "upstream"): 5 for name, _, code in BURST}
    assert {row["api_method"]: row["codes"] for row in data(caller)["methods"]} == {
        name: {str(code): 5} for name, _, code in BURST
    }
    document = shown(caller)
    assert methods(document) == {name: [f"{code} × 5"] for name, _, code in BURST}
    latest = [row[1].text_content() for row in document.xpath("//*[@id='failures']//tbody/tr")]
    assert latest == ["435"] * 5 + ["404"] * 5 + ["402"] * 5


def test_a_platform_that_breaks_off_is_named_as_the_one_to_look_at(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with()
    assert data(caller)["verdict"]["level"] == "well"
    for _ in range(3):
        sandbox.faults.add(Fault(Kind.RESET, "databases/get"))
        assert caller.json("databases/get", id=1).status == 502
    assert data(caller)["verdict"]["headline"] == "Not well: the platform"
    assert methods(shown(caller)) == {"databases/get": ["upstream-reset × 3"]}


def test_a_rejected_token_is_named_and_its_value_is_not_shown(gateway_with: GatewayWith) -> None:
    caller = gateway_with(token={"env": "STRANGER_TOKEN"})
    assert caller.json("databases/get", id=1).error == 401
    status = data(caller)
    assert status["verdict"]["headline"].startswith("Not well: the account")
    [token] = status["tokens"]
    assert (token["source"], token["rejected_at"] is None) == ("env STRANGER_TOKEN", False)
    assert ENVIRON["STRANGER_TOKEN"] not in json.dumps(status)


def test_no_token_is_shown_even_where_a_caller_writes_one(gateway_with: GatewayWith) -> None:
    caller = gateway_with()
    caller.json(f"vendor/{TOKEN}")
    caller.json("profiles/get", ("Request-ID", TOKEN), db_id=1, email="twin@example.com")
    for target in ("/-/", "/-/status.json", f"/-/?q={TOKEN}"):
        reply = caller.get(target)
        assert reply.status == 200
        assert TOKEN.encode() not in reply.body
        assert b"***" in reply.body


@pytest.mark.parametrize("target", ["/-/", "/-/status.json", "/-/static/page.js"])
def test_a_page_of_somebody_else_cannot_read_it(caller: Caller, target: str) -> None:
    assert caller.send("GET", target, b"", hosts=["evil.example"]).status == 403
    assert caller.get(target, ("Origin", "http://evil.example")).status == 403
    assert caller.get(target, ("Sec-Fetch-Site", "cross-site")).status == 403


def test_it_allows_itself_no_more_than_it_needs(caller: Caller) -> None:
    policy = caller.get("/-/").header("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    for name in ("page.css", "page.js", "icon.svg"):
        assert caller.get(f"/-/static/{name}").status == 200
    assert caller.get("/-/static/../page.py").status == 404


def test_filter_and_order_are_parameters_of_the_address(gateway_with: GatewayWith) -> None:
    caller = gateway_with()
    for name, body, _ in BURST:
        caller.json(name, **body)
    caller.json("databases/get", id=1)
    assert list(methods(shown(caller, "?q=profiles&sort=method"))) == ["profiles/add", "profiles/get"]
    assert list(methods(shown(caller, "?q=402&window=start"))) == ["profiles/add"]
    assert next(iter(methods(shown(caller)))) == "databases/get"


def test_the_reference_names_every_field() -> None:
    rows = [
        line.split("|")[1].strip(" `") for line in PAGE.read_text().splitlines() if line.startswith("| `")
    ]
    assert rows == list(fields_of(Status))


def fields_of(kind: Any, above: str = "") -> list[str]:
    """The names in the order of the data, those inside of others with dots."""
    names: list[str] = []
    for field in msgspec.structs.fields(kind):
        names.append(above + field.name)
        inner = [arm for arm in getattr(field.type, "__args__", ()) if isinstance(arm, type)]
        for arm in [field.type, *inner]:
            if isinstance(arm, type) and issubclass(arm, msgspec.Struct):
                names.extend(fields_of(arm, f"{above}{field.name}."))
    return names
