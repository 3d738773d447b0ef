"""Clients of the platform, written as its users write them, do a day's work through the gateway: only their
base URL is another. What they print is checked, and what the platform did."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.clients import pythonclient
from tests.e2e.conftest import TOKEN, GatewayWith, Platform
from tests.e2e.scraping import Changes, counting
from tests.tools import tool

CLIENTS = Path(__file__).parent / "clients"
OWN_TOKEN = "the-token-they-still-send"
STEPS = (
    "profiles/import",
    "profiles/get",
    "subscriptions/set",
    "subscriptions/list",
    "campaigns/triggers/start",
    "profiles/get_all",
)
PACKAGES = {"node": "Debian: nodejs", "java": "Debian: default-jdk-headless"}
ANOTHER_STACK = [
    pytest.param(["node", str(CLIENTS / "client.mjs")], id="node: JSON, token in the header"),
    pytest.param(["java", str(CLIENTS / "Client.java")], id="java: XML, token in the body, offers HTTP/2"),
]


@pytest.mark.parametrize("upstream_format", ["json", "xml"])
def test_a_python_client_does_its_work(
    gateway_with: GatewayWith, sandbox: Sandbox, upstream_format: str
) -> None:
    caller = gateway_with(upstream={"format": upstream_format})
    with counting(caller) as changes:
        seen = pythonclient.work(f"{caller.address}/api/v1.1", OWN_TOKEN)
    assert_done(seen, sandbox)
    assert_counted(changes)


def test_the_same_client_does_it_without_a_gateway(platform: Platform) -> None:
    """Else the tests above could show a client that suits the gateway only."""
    assert_done(pythonclient.work(platform.base_url, TOKEN), platform.sandbox)


def test_what_the_platform_refuses_is_refused_to_the_client(caller: Caller) -> None:
    client = pythonclient.Platform(f"{caller.address}/api/v1.1", OWN_TOKEN)
    with pytest.raises(pythonclient.PlatformError) as caught:
        client.call("profiles/get", db_id=1, email="twin@example.com")
    assert caught.value.code == 435


@pytest.mark.full
@pytest.mark.parametrize("command", ANOTHER_STACK)
@pytest.mark.parametrize("upstream_format", ["json", "xml"])
def test_a_client_of_another_stack_does_its_work(
    gateway_with: GatewayWith, sandbox: Sandbox, command: list[str], upstream_format: str
) -> None:
    caller = gateway_with(upstream={"format": upstream_format})
    with counting(caller) as changes:
        seen = run_client([*command, f"{caller.address}/api/v1.1", OWN_TOKEN])
    assert_done(seen, sandbox)
    assert_counted(changes)


@pytest.mark.full
@pytest.mark.parametrize("command", ANOTHER_STACK)
def test_a_client_of_another_stack_does_it_without_a_gateway(platform: Platform, command: list[str]) -> None:
    assert_done(run_client([*command, platform.base_url, TOKEN]), platform.sandbox)


def run_client(command: list[str]) -> Any:
    program, *arguments = command
    command = [tool(program, PACKAGES[program]), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=3 * PATIENCE, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def assert_done(seen: dict[str, Any], sandbox: Sandbox) -> None:
    """What the client saw is what the platform has, and each step ran once."""
    (profile,) = sandbox.state.databases[1].profiles.with_field("email", pythonclient.EMAIL)
    assert seen == {
        "profile_id": profile.id,
        "name": "Jim",
        "phone": "+79000000000",
        "subscribed": [2],
        "exported": 1,
    }
    assert (profile.fields["_fname"], profile.fields["phones"]) == ("Jim", ["+79000000000"])
    assert [(entry.resource_id, entry.status) for entry in profile.subscriptions] == [(2, "subscribed")]
    assert [(sent.launch_id, sent.profile_id) for sent in sandbox.state.outbox] == [(1, profile.id)]
    assert {step: len(sandbox.calls.executed(step)) for step in STEPS} == dict.fromkeys(STEPS, 1)
    assert all(call.code == 0 for call in sandbox.calls)
    assert OWN_TOKEN not in repr([call.incoming for call in sandbox.calls])


def assert_counted(changes: Changes) -> None:
    counted = changes.requests
    assert counted.pop(("tasks/status", "0", "upstream")) >= 1
    assert counted == {(step, "0", "upstream"): 1 for step in STEPS}
