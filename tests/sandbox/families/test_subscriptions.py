from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., Any]


@pytest.fixture
def one(ask: Ask) -> dict[str, Any]:
    """A profile with one subscription, by its id."""
    profile = ask("profiles/get", db_id=1, email="customer1@example.com")["data"]
    return {"db_id": 1, "profile_id": profile["_id"]}


def test_a_subscription_is_added_and_then_edited(ask: Ask, one: dict[str, Any]) -> None:
    push = {"resource_id": 1, "channel": "push", "provider": "fcm", "subscription_id": "dev1"}
    ask("subscriptions/set", **one, **push, priority=5)
    ask("subscriptions/set", **one, **push, status="unsubscribed", priority=-1)
    entries = ask("subscriptions/list", **one)["data"]
    mine = [entry for entry in entries if entry["channel"] == "push"]
    assert [(entry["status"], entry["priority"]) for entry in mine] == [("unsubscribed", 5)]
    found = ask("profiles/get", db_id=1, matching="push_sub", provider="fcm", subscription_id="dev1")
    assert found["data"]["_id"] == one["profile_id"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"resource_id": 99}, 404),
        ({"resource_id": 3}, 413),
        ({"resource_id": 1, "channel": "pigeon"}, 450),
        ({"resource_id": 1, "status": "happy"}, 450),
        ({"resource_id": 1, "channel": "push"}, 400),
    ],
    ids=["no such resource", "not the database's resource", "channel", "status", "no push id"],
)
def test_what_is_refused(ask: Ask, one: dict[str, Any], params: dict[str, Any], code: int) -> None:
    assert ask("subscriptions/set", **one, **params)["error"] == code
    assert len(ask("subscriptions/list", **one)["data"]) == 1


def test_a_deleted_subscription_can_be_restored(ask: Ask, one: dict[str, Any]) -> None:
    assert ask("subscriptions/delete", **one, resource_id=1)["error"] == 0
    assert ask("subscriptions/list", **one)["data"] == []
    assert ask("subscriptions/delete", **one, resource_id=1)["error"] == 404
    assert ask("subscriptions/undelete", **one, resource_id=1)["error"] == 0
    assert len(ask("subscriptions/list", **one)["data"]) == 1


def test_suspending_all_counts_what_it_changed(ask: Ask) -> None:
    assert ask("subscriptions/suspend_all", db_id=1)["updated"] == 53
    assert ask("subscriptions/suspend_all", db_id=1)["updated"] == 0
    assert ask("subscriptions/unsuspend_all", db_id=1, channel="sms")["updated"] == 0
    assert ask("subscriptions/unsuspend_all", db_id=1, channel="email", resource_id=1)["updated"] == 53


def test_the_subscriptions_of_a_resource(ask: Ask) -> None:
    page = ask("subscriptions/list_all", resource_id=1, db_id=2, status="subscribed")
    assert {row["address"] for row in page["data"]} == {"member1@example.com", "member2@example.com"}
    first = ask("subscriptions/list_all", resource_id=1, limit=1)
    assert len(first["data"]) == 1
    rest = ask("subscriptions/list_all", resource_id=1, from_id=first["next_from_id"])
    assert len(rest["data"]) == 54
