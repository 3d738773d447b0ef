"""Who the gateway is: several platforms, several tokens, and which of them a call gets."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.e2e.caller import Caller
from tests.e2e.conftest import ENVIRON, TOKEN, GatewayWith
from tests.e2e.scraping import counting

EU_TOKEN = "token-of-another-platform"


@pytest.fixture
def eu() -> Iterator[tuple[Sandbox, str]]:
    """A second platform with a token of its own."""
    sandbox = Sandbox(sample_tokens(EU_TOKEN))
    with running_in_thread(sandbox) as base_url:
        yield sandbox, base_url


def test_an_account_is_its_own_platform_and_its_own_token(
    gateway_with: GatewayWith, sandbox: Sandbox, eu: tuple[Sandbox, str]
) -> None:
    eu_sandbox, base_url = eu
    account = {"base_url": base_url, "token": {"env": "EU_TOKEN"}, "token_placement": "header"}
    usual = gateway_with({**ENVIRON, "EU_TOKEN": EU_TOKEN}, accounts={"eu": account})
    there = Caller(usual.address, base_path="/accounts/eu/api/v1.1/")
    assert there.json("databases/get", id=1).error == 0
    assert not list(sandbox.calls)
    (call,) = eu_sandbox.calls
    assert (call.token_places, TOKEN in repr(call)) == (("header",), False)
    assert usual.json("databases/get", id=1).error == 0
    (call,) = sandbox.calls
    assert (call.token_places, EU_TOKEN in repr(call)) == (("body",), False)


def test_an_account_that_is_not_configured_does_not_exist(caller: Caller, sandbox: Sandbox) -> None:
    elsewhere = Caller(caller.address, base_path="/accounts/nobody/api/v1.1/")
    assert elsewhere.json("databases/get", id=1).status == 404
    assert not list(sandbox.calls)


def test_failures_are_counted_by_account(gateway_with: GatewayWith, eu: tuple[Sandbox, str]) -> None:
    eu_sandbox, base_url = eu
    account = {"base_url": base_url, "token": {"env": "STRANGER_TOKEN"}}
    usual = gateway_with(accounts={"eu": account})
    there = Caller(usual.address, base_path="/accounts/eu/api/v1.1/")
    with counting(usual) as changes:
        assert there.json("databases/get", id=1).error == 401
    assert changes.of("gateway_token_rejected_total", "account", "token") == {("eu", "default"): 1}
    assert [call.code for call in eu_sandbox.calls] == [401]


def test_a_methods_rule_names_its_token(gateway_with: GatewayWith, sandbox: Sandbox) -> None:
    """Least privilege: what only reads gets a token that can only read."""
    rules: dict[str, Any] = {"databases/get": {"token": "reader"}, "profiles/add": {"token": "reader"}}
    caller = gateway_with(tokens={"reader": {"env": "READER_TOKEN"}}, methods=rules)
    assert caller.json("databases/get", id=1).error == 0
    assert caller.json("profiles/add", db_id=1, data={}).error == 403
    assert caller.json("profiles/import", db_id=1, email="jim@example.com", data={}).error == 0
    tokens = {call.api_method: call.token for call in sandbox.calls if call.token}
    assert tokens == {"databases/get": "reader", "profiles/import": "full-1"}
