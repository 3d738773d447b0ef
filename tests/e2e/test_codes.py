"""Every code of the platform comes through unchanged, in both formats, and is counted under its method."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.codes import TEXTS, Code
from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.e2e.caller import Caller, Reply
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith, settings_for
from tests.e2e.inthread import running_gateway
from tests.e2e.scraping import counting


@dataclass(frozen=True)
class Case:
    """A call that the platform answers with `code`. `settings` are what the gateway needs for that, `label`
    what it is counted under, if not its method."""

    code: int
    api_method: str
    json: str
    xml: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    @property
    def id(self) -> str:
        return f"{self.code} {self.api_method}"


PARTNER = {"token": {"env": "PARTNER_TOKEN"}}

CASES = [
    Case(0, "databases/get", '{"id": 1}', "<xml><id>1</id></xml>"),
    Case(400, "profiles/get", '{"db_id": 1}', "<xml><db_id>1</db_id></xml>"),
    Case(401, "databases/get", '{"id": 1}', "<xml><id>1</id></xml>", {"token": {"env": "STRANGER_TOKEN"}}),
    Case(402, "profiles/add", '{"db_id": 3, "data": {}}', "<xml><db_id>3</db_id><data><a>1</a></data></xml>"),
    Case(
        403,
        "profiles/add",
        '{"db_id": 1, "data": {}}',
        "<xml><db_id>1</db_id><data/></xml>",
        {"token": {"env": "READER_TOKEN"}},
    ),
    Case(404, "databases/get", '{"id": 1}', "<xml><id>1</id></xml>", PARTNER),
    Case(
        409,
        "profiles/add",
        '{"db_id": 2, "data": {"email": "member1@example.com"}}',
        "<xml><db_id>2</db_id><data><email>member1@example.com</email></data></xml>",
    ),
    Case(
        413,
        "profiles/import",
        '{"db_id": 4, "resource_id": 1, "email": "a@example.com", "data": {}}',
        "<xml><db_id>4</db_id><resource_id>1</resource_id><email>a@example.com</email></xml>",
    ),
    Case(
        435,
        "profiles/get",
        '{"db_id": 1, "email": "twin@example.com"}',
        "<xml><db_id>1</db_id><email>twin@example.com</email></xml>",
    ),
    Case(
        441,
        "profiles/update",
        '{"db_id": 1, "email": "customer1@example.com", "data": {}}',
        "<xml><db_id>1</db_id><email>customer1@example.com</email><data><a>1</a></data></xml>",
        PARTNER,
    ),
    Case(
        450,
        "profiles/add",
        '{"db_id": 1, "data": {"email": "nonsense"}}',
        "<xml><db_id>1</db_id><data><email>nonsense</email></data></xml>",
    ),
    Case(
        500,
        "profiles/get",
        '{"db_id": 1, "email": "broken@example.com"}',
        "<xml><db_id>1</db_id><email>broken@example.com</email></xml>",
    ),
    Case(501, "profiles/split", '{"db_id": 1}', "<xml><db_id>1</db_id></xml>"),
    Case(501, "file_download", '{"id": 1}', "<xml><id>1</id></xml>", label="other"),
]
# What a gateway asks that is set to speak XML to a platform which takes JSON only.
XML_REFUSED = Case(415, "databases/get", '{"id": 1}', "<xml><id>1</id></xml>")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_platforms_code_comes_through_and_is_counted(gateway_with: GatewayWith, case: Case) -> None:
    assert_comes_through(gateway_with(**case.settings), case)


def test_a_platform_that_takes_json_only_refuses_a_gateway_that_speaks_xml(gateway_with: GatewayWith) -> None:
    sandbox = Sandbox(sample_tokens(TOKEN), Options(takes_xml=False))
    with running_in_thread(sandbox) as base_url:
        caller = gateway_with(upstream={"base_url": base_url, "format": "xml"})
        assert_comes_through(caller, XML_REFUSED)
    sent = [call.incoming.header("content-type") for call in sandbox.calls]
    assert sent == ["application/xml"] * 2


def assert_comes_through(caller: Caller, case: Case) -> None:
    """Asked in both formats, answered in both with the platform's code, and counted under method and code."""
    label = case.label or case.api_method
    with counting(caller) as changes:
        in_json = caller.call(case.api_method, case.json)
        in_xml = caller.xml(case.api_method, case.xml)
    assert (in_json.status, in_json.error) == (200, case.code)
    assert (in_xml.status, in_xml.error) == (200, case.code)
    assert in_json.error_text.startswith(TEXTS[Code(case.code)])
    assert in_xml.error_text.startswith(TEXTS[Code(case.code)])
    assert changes.requests == {(label, str(case.code), "upstream"): 2}
    assert changes.of("gateway_upstream_requests_total", "api_method", "code") == {(label, str(case.code)): 2}


def test_the_cases_are_all_codes_there_are() -> None:
    assert {case.code for case in (*CASES, XML_REFUSED)} == set(Code)


@pytest.mark.parametrize("code", list(Code), ids=lambda code: str(code.value))
def test_a_code_that_is_an_http_status_too_keeps_both(strict: "Strict", code: Code) -> None:
    """The platform's documentation leaves open whether it sends such statuses."""
    with counting(strict.caller) as changes:
        replies = [strict.answered_with(code, wanted) for wanted in ("json", "xml")]
    status = code.value or 200
    assert [(reply.status, reply.error) for reply in replies] == [(status, code)] * 2
    assert changes.requests == {("databases/get", str(code.value), "upstream"): 2}


@dataclass(frozen=True)
class Strict:
    """A platform whose codes are HTTP statuses too, and a caller of the gateway in front of it."""

    sandbox: Sandbox
    caller: Caller

    def answered_with(self, code: Code, wanted: str) -> Reply:
        if code is not Code.OK:
            self.sandbox.faults.add(Fault(Kind.ERROR, "databases/get", code=code))
        return self.caller.json(f"databases/get?format={wanted}", id=1)


@pytest.fixture(scope="module")
def strict(catalogue: Catalogue) -> Iterator[Strict]:
    sandbox = Sandbox(sample_tokens(TOKEN), Options(has_http_statuses=True))
    with (
        running_in_thread(sandbox) as base_url,
        running_gateway(settings_for(base_url), ENVIRON, catalogue) as gateway,
    ):
        yield Strict(sandbox, gateway.caller)
        gateway.assert_idle()


def test_a_token_that_the_platform_refuses_is_counted_by_its_name(gateway_with: GatewayWith) -> None:
    caller = gateway_with(token={"env": "STRANGER_TOKEN"})
    with counting(caller) as changes:
        assert caller.json("databases/get", id=1).error == 401
    assert changes.of("gateway_token_rejected_total", "account", "token") == {("default", "default"): 1}


def test_a_code_for_each_item_of_a_batch_is_counted_and_changes_nothing(caller: Caller) -> None:
    data = [{"email": "a@example.com"}, {"email": "a@example.com"}, {"email": "nonsense"}]
    with counting(caller) as changes:
        reply = caller.json("profiles/add_batch", db_id=2, data=data)
    assert reply.error == 0
    assert [item["error"] for item in reply.json()["result"]] == [0, 409, 450]
    assert changes.requests == {("profiles/add_batch", "0", "upstream"): 1}
    assert changes.of("gateway_item_results_total", "api_method", "code") == {
        ("profiles/add_batch", "0"): 1,
        ("profiles/add_batch", "409"): 1,
        ("profiles/add_batch", "450"): 1,
    }
