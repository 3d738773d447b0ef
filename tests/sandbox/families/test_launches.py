"""Campaigns and scenarios: who gets a message, and that nobody does when a call fails."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox

Ask = Callable[..., Any]
ONE = {"matching": "email", "email": "customer1@example.com"}


@pytest.mark.parametrize(
    ("api_method", "params"),
    [
        ("campaigns/triggers/start", {"id": "1", **ONE}),
        ("campaigns/triggers/import_and_start", {"trigger_id": 1, "db_id": 1, **ONE}),
        ("workflows/start", {"id": 1, **ONE}),
        ("workflows/import_and_start", {"workflow_id": 1, **ONE}),
    ],
)
def test_a_start_sends_one_message(
    ask: Ask, sandbox: Sandbox, api_method: str, params: dict[str, Any]
) -> None:
    reply = ask(api_method, **params)
    assert reply["error"] == 0
    assert [message.profile_id for message in sandbox.state.outbox] == [reply["profile_id"]]


@pytest.mark.parametrize(
    ("api_method", "params", "code"),
    [
        ("campaigns/triggers/start", {"id": 2, **ONE}, 450),
        ("campaigns/triggers/start", {"id": 3, **ONE}, 404),
        ("campaigns/triggers/start", {"id": 1, "email": "nobody@example.com"}, 404),
        ("campaigns/triggers/import_and_start", {"trigger_id": 1, "db_id": 2, **ONE}, 450),
        ("campaigns/broadcasts/start", {"id": 3, "override_source_type": "moon"}, 450),
        (
            "campaigns/broadcasts/start",
            {"id": 3, "override_source_type": "segment", "override_source_id": 2},
            501,
        ),
        ("workflows/start", {"id": 2, **ONE}, 450),
        ("workflows/start", {"id": 1, **ONE, "token": "sandbox-reader"}, 403),
    ],
    ids=[
        "inactive trigger",
        "not a trigger",
        "nobody",
        "another database",
        "no such source",
        "dynamic segment",
        "inactive scenario",
        "no right to run",
    ],
)
def test_a_start_that_fails_sends_nothing(
    ask: Ask, sandbox: Sandbox, api_method: str, params: dict[str, Any], code: int
) -> None:
    assert ask(api_method, **params)["error"] == code
    assert sandbox.state.outbox == []


MANY = [
    {"email": "customer1@example.com"},
    {"email": "customer2@example.com"},
    {"email": "broken@example.com"},
]


def test_a_batch_sends_to_each_item_that_succeeds(ask: Ask, sandbox: Sandbox) -> None:
    reply = ask("workflows/import_and_start_batch", workflow_id=1, matching="email", data=MANY)
    assert [item["error"] for item in reply["result"]] == [0, 0, 500]
    assert len(sandbox.state.outbox) == 2


def test_a_batch_of_triggers_tells_whom_it_reached(ask: Ask, sandbox: Sandbox) -> None:
    reply = ask("campaigns/triggers/start_batch", trigger_id=1, matching="email", data=MANY)
    assert (reply["error"], len(reply["result"])) == (0, 2)
    assert reply["result"] == [message.profile_id for message in sandbox.state.outbox]


@pytest.mark.parametrize(
    ("api_method", "params"),
    [
        ("campaigns/triggers/start_batch_task", {"id": 1}),
        ("workflows/import_and_start_batch_task", {"workflow_id": 1, "matching": "email"}),
    ],
)
def test_a_batch_task_sends_when_it_is_due(
    ask: Ask, sandbox: Sandbox, clock: Any, api_method: str, params: dict[str, Any]
) -> None:
    assert ask(api_method, **params, data=[{"email": "customer1@example.com"}])["error"] == 0
    assert sandbox.state.outbox == []
    clock.now += 1.0
    ask("databases/get", id=1)
    assert len(sandbox.state.outbox) == 1


def test_a_trigger_can_go_to_all_that_a_query_selects(ask: Ask, sandbox: Sandbox) -> None:
    query = {"customer_id": {"$in": ["000001", "000002"]}}
    assert ask("campaigns/triggers/start", id=1, custom_request=query)["count"] == 2
    assert len(sandbox.state.outbox) == 2


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"id": 3}, 5),
        ({"id": 3, "override_limit": 2}, 2),
        ({"id": 3, "override_source_type": "database", "override_source_id": 2}, 2),
    ],
    ids=["its segment", "a part of it", "another source"],
)
def test_a_broadcast_goes_to_its_audience(
    ask: Ask, sandbox: Sandbox, params: dict[str, Any], count: int
) -> None:
    assert ask("campaigns/broadcasts/start", **params) == {
        "error": 0,
        "error_text": "Successful operation",
        "data": None,
    }
    assert len(sandbox.state.outbox) == count


def test_a_regular_campaign_out_of_schedule(ask: Ask, sandbox: Sandbox) -> None:
    assert ask("campaigns/regulars/start", id=4)["error"] == 0
    assert len(sandbox.state.outbox) == 5
    assert [row["id"] for row in ask("campaigns/regulars/list")["data"]] == [4]
    assert ask("campaigns/regulars/get", id=3)["error"] == 404


def test_a_campaign_is_made_activated_run_and_stopped(ask: Ask, sandbox: Sandbox) -> None:
    content = {"content": [{"channel": "email"}], "send_channel": "email"}
    made = ask("campaigns/broadcasts/add", name="Mine", data_type="database", data_id=2, **content)
    campaign_id = made["data"]["saved_id"]
    assert ask("campaigns/broadcasts/start", id=campaign_id)["error"] == 450
    assert ask("campaigns/activate", id=campaign_id, run_now=True)["data"] is None
    assert len(sandbox.state.outbox) == 2
    assert ask("campaigns/get_status", id=campaign_id)["data"]["status"] == "running"
    assert ask("campaigns/deactivate", id=str(campaign_id), abort_if_running="true")["error"] == 0
    assert ask("campaigns/get_status", id=campaign_id)["data"]["status"] == "stopped"
    ask("campaigns/broadcasts/update", id=campaign_id, name="Ours", data_id=1)
    assert ask("campaigns/get", id=campaign_id)["data"]["name"] == "Ours"
    assert ask("campaigns/regulars/add", name="R", data_type="segment", data_id=1, **content)["error"] == 0


def test_a_trigger_is_made_and_cloned(ask: Ask) -> None:
    content = {"content": [{"channel": "email"}], "send_channel": "email"}
    made = ask("campaigns/triggers/add", name="Mine", trigger_type="api", resource_id=1, **content)
    copied = ask("campaigns/triggers/clone", id=made["data"]["saved_id"])
    assert copied["data"]["saved_id"] == made["data"]["saved_id"] + 1
    clone = ask("campaigns/triggers/get", id=copied["data"]["saved_id"])["data"]
    assert (clone["name"], clone["db_id"], clone["is_active"]) == ("Mine (copy)", 1, False)


def test_lists_are_filtered_by_type_and_state(ask: Ask) -> None:
    assert [row["id"] for row in ask("campaigns/list", type="trigger", is_active="true")["data"]] == [1]
    assert [row["id"] for row in ask("scampaigns/list")["data"]] == [5]


def test_a_super_campaign_runs_and_is_completed(ask: Ask) -> None:
    ask("scampaigns/activate", id=5, activate_date="2030-01-01")
    assert ask("campaigns/get_status", id=5)["data"]["is_active"] is True
    ask("scampaigns/completed", id=5)
    assert ask("campaigns/get_status", id=5)["data"]["status"] == "completed"


def test_a_sleeping_scenario_is_woken(ask: Ask, sandbox: Sandbox) -> None:
    assert ask("workflows/activate", id=2)["data"] is None
    assert ask("workflows/start", id=2, **ONE)["error"] == 0
    assert len(sandbox.state.outbox) == 1
