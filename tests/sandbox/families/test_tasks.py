"""Background tasks: nothing happens before they are due."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox

Ask = Callable[..., Any]


def _wait(clock: Any) -> None:
    clock.now += 1.0


def test_an_export_is_done_after_its_time(ask: Ask, clock: Any, sandbox: Sandbox) -> None:
    task_id = ask("profiles/get_all", source_type="database", source_id=2)["data"]["task_id"]
    clock.now += 0.5
    assert ask("tasks/status", task_id=task_id)["data"] == {
        "status": "running",
        "progress": 50,
        "result": None,
    }
    clock.now += 0.5
    done = ask("tasks/status", task_id=task_id)["data"]
    (url,) = done["result"]["urls"]
    assert (done["status"], done["progress"], done["result"]["total"]) == ("done", 100, 2)
    assert (done["result"]["errors"], done["result"]["source_id"]) == ([], 2)
    assert url.startswith("http://sandbox.test/api/download/data/")
    lines = sandbox.state.files[url.rpartition("/")[2]].decode().splitlines()
    assert lines[0] == "_id,email,phones,_fname,_lname,_status,customer_id,visits"
    assert ",member1@example.com," in lines[1]


def test_an_export_of_a_segment_as_json(ask: Ask, clock: Any, sandbox: Sandbox) -> None:
    started = ask("profiles/get_all", source_type="segment", source_id=1, file_format="json")
    _wait(clock)
    result = ask("tasks/status", task_id=started["data"]["task_id"])["data"]["result"]
    assert result["total"] == 5
    assert sandbox.state.files[result["urls"][0].rpartition("/")[2]].startswith(b'[{"_id": ')


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"source_type": "moon", "source_id": 1}, 450),
        ({"source_type": "database", "source_id": 1, "file_format": "xlsx"}, 450),
        ({"source_type": "database", "source_id": 99}, 404),
    ],
    ids=["source", "format", "database"],
)
def test_an_export_that_is_refused_starts_nothing(
    ask: Ask, sandbox: Sandbox, params: dict[str, Any], code: int
) -> None:
    assert ask("profiles/get_all", **params)["error"] == code
    assert sandbox.state.tasks == {}


def test_counters_are_counted_when_the_task_is_due(ask: Ask, clock: Any) -> None:
    task_ids = [
        ask("databases/refresh_counters", id=2, resource_id=1)["data"]["task_id"],
        ask("resources/refresh_counters", id=1, list_id=2)["data"]["task_id"],
    ]
    ask("subscriptions/suspend_all", db_id=2)
    _wait(clock)
    for task_id in task_ids:
        result = ask("tasks/status", task_id=task_id)["data"]["result"]
        assert result["counters"] == [{"channel": "email", "status": {"suspended": 2}}]


def test_a_segments_counters_as_a_task(ask: Ask, clock: Any) -> None:
    task_id = ask("segments/refresh_counters", id=1, resource_id=1, db_id=1)["data"]["task_id"]
    _wait(clock)
    result = ask("tasks/status", task_id=task_id)["data"]["result"]
    assert result["counters"] == [{"channel": "email", "status": {"subscribed": 5}}]


def test_a_batch_in_the_background_shows_its_effects_only_when_due(
    ask: Ask, clock: Any, sandbox: Sandbox
) -> None:
    items = [{"email": "new@example.com"}, {"email": "nonsense"}]
    started = ask("campaigns/triggers/import_and_start_batch_task", trigger_id=1, data=items)
    assert ask("profiles/get", db_id=1, email="new@example.com")["error"] == 404
    _wait(clock)
    assert ask("profiles/get", db_id=1, email="new@example.com")["error"] == 0
    result = ask("tasks/status", task_id=started["data"]["task_id"])["data"]["result"]
    assert (result["total"], [error["error"] for error in result["errors"]]) == (2, [450])
    assert len(sandbox.state.outbox) == 1


def test_a_task_that_fails_says_so_and_disturbs_no_other_call(ask: Ask, clock: Any, sandbox: Sandbox) -> None:
    started = ask("campaigns/triggers/start_batch_task", id=1, data=[{"email": "customer1@example.com"}])
    sandbox.state.databases.remove(1)
    _wait(clock)
    assert ask("databases/get", id=2)["error"] == 0
    result = ask("tasks/status", task_id=started["data"]["task_id"])["data"]["result"]
    assert [error["error"] for error in result["errors"]] == [404]


def test_an_unknown_task(ask: Ask) -> None:
    assert ask("tasks/status", task_id="nothing")["error"] == 404
