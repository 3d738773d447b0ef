"""Goals and the action history."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.calls import Incoming
from gateway.sandbox.replies import Answer
from gateway.sandbox.sandbox import Sandbox

Ask = Callable[..., Any]
GOAL = {"db_id": 1, "pixel_id": 1, "email": "customer1@example.com"}
DAY = {"date_from": "2023-11-14", "date_to": "2023-11-15"}  # the clock stands at 2023-11-14T22:13:20Z


def history(ask: Ask, **params: Any) -> Any:
    return ask("subscribers/history_get", list_id=1, email="customer1@example.com", **params)["data"]


def test_a_goal_is_in_the_history(ask: Ask) -> None:
    assert ask("goals/register", **GOAL, goal="bought", value=5)["error"] == 0
    ask("goals/register", **GOAL, goals=[{"goal": "a"}, {"goal": "b"}], date="2023-01-01")
    everything = history(ask)
    assert [entry["details"]["goal"] for entry in everything] == ["bought", "a", "b"]
    assert [entry["date"] for entry in history(ask, **DAY)] == ["2023-11-14T22:13:20+00:00"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pixel_id": 2}, 404),
        ({"goal": ""}, 400),
        ({"pixel_data": {"a": {"b": 1}}}, 450),
        ({"pixel_data": {"a": "x" * 1024}}, 450),
        ({"email": "nobody@example.com"}, 404),
    ],
    ids=["pixel", "no goal", "not flat", "over 1 KB", "nobody"],
)
def test_a_goal_that_is_refused_is_not_in_the_history(ask: Ask, change: dict[str, Any], code: int) -> None:
    assert ask("goals/register", **{**GOAL, "goal": "bought", **change})["error"] == code
    assert history(ask) == []


def test_messages_and_subscriptions_are_in_the_history_of_all(ask: Ask) -> None:
    ask("campaigns/triggers/start", id=1, email="customer1@example.com")
    profile_id = ask("profiles/get", db_id=1, email="customer2@example.com")["data"]["_id"]
    ask("subscriptions/set", db_id=1, profile_id=profile_id, resource_id=2)
    rows = ask("subscribers/history_get_all", list_id=1, **DAY)["data"]
    assert [row["type"] for row in rows] == ["sent", "subscription_set"]
    page = ask("subscribers/history_get_all", list_id=1, **DAY, limit=1, fields=["type"])
    assert page["data"] == [{"type": "sent"}]
    rest = ask("subscribers/history_get_all", list_id=1, **DAY, from_id=page["next_from_id"])
    assert [row["type"] for row in rest["data"]] == ["subscription_set"]
    assert ask("subscribers/history_get_all", list_id=1)["error"] == 400


def test_the_history_of_all_as_csv(ask: Ask, sandbox: Sandbox) -> None:
    ask("goals/register", **GOAL, goal="bought")
    body = {"token": "sandbox", "list_id": 1, **DAY, "format": "csv", "fields": ["type", "date"]}
    answer = asyncio.run(
        sandbox.call(
            Incoming(
                api_method="subscribers/history_get_all",
                target=b"/",
                query=(),
                headers=(("content-type", "application/json"),),
                body=json.dumps(body).encode(),
                origin="http://x",
            )
        )
    )
    assert isinstance(answer, Answer)
    assert answer.body == b"type,date\r\ngoal,2023-11-14T22:13:20+00:00\r\n"
