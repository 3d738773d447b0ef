"""profiles/*: what is stored, and what is left alone when a call fails."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox

Ask = Callable[..., Any]
ONE = {"db_id": 1, "email": "customer1@example.com"}


def found(ask: Ask, **params: Any) -> Any:
    return ask("profiles/get", **{"db_id": 1, **params})["data"]


def test_an_added_profile_is_there(ask: Ask) -> None:
    reply = ask("profiles/add", db_id=1, data={"email": "new@example.com", "_fname": "Jim"})
    assert (reply["error"], reply["error_text"]) == (0, "")
    assert found(ask, email="new@example.com") == {
        "_id": reply["profile_id"],
        "email": "new@example.com",
        "_fname": "Jim",
        "subscriptions": [],
    }


def test_an_add_never_matches(ask: Ask) -> None:
    data = {"email": "new@example.com"}
    first, second = (ask("profiles/add", db_id=1, data={**data, "n": n})["profile_id"] for n in (1, 2))
    assert first != second
    assert ask("profiles/get", db_id=1, **data)["error"] == 435


def test_an_update_never_creates(ask: Ask) -> None:
    reply = ask("profiles/update", db_id=1, email="nobody@example.com", data={"_fname": "Jim"})
    assert reply["error"] == 404
    assert ask("profiles/get", db_id=1, email="nobody@example.com")["error"] == 404


def test_an_update_changes_only_what_it_names(ask: Ask) -> None:
    before = found(ask, email=ONE["email"])
    ask("profiles/update", **ONE, data={"_fname": "Jim", "visits": {"action": "incr", "value": 2}})
    assert found(ask, email=ONE["email"]) == {**before, "_fname": "Jim", "visits": before["visits"] + 2}


def test_an_import_creates_and_then_updates(ask: Ask) -> None:
    params = {"db_id": 1, "resource_id": 1, "matching": "email", "email": "example@example.com"}
    first = ask("profiles/import", **params, data={"_fname": "Jim", "phones": ["+79000000000"]})
    second = ask("profiles/import", **params, data={"_fname": "John"})
    assert first["profile_id"] == second["profile_id"]
    profile = found(ask, email="example@example.com")
    assert (profile["_fname"], profile["phones"]) == ("John", ["+79000000000"])
    assert [entry["resource_id"] for entry in profile["subscriptions"]] == [1]


@pytest.mark.parametrize(
    ("matching", "fields"),
    [
        ({"matching": "phone", "phone": "+42"}, {"phones": ["+42"]}),
        ({"matching": "custom", "field_name": "card", "field_value": 7}, {"card": 7}),
        ({"matching": "email_phone", "email": "a@example.com", "phone": "+42"}, {"phones": ["+42"]}),
    ],
    ids=["phone", "custom", "email_phone"],
)
def test_an_import_fills_in_what_it_matched_by(
    ask: Ask, matching: dict[str, Any], fields: dict[str, Any]
) -> None:
    profile_id = ask("profiles/import", db_id=1, **matching)["profile_id"]
    assert fields.items() <= found(ask, matching="profile_id", profile_id=profile_id).items()
    assert ask("profiles/import", db_id=1, **matching)["profile_id"] == profile_id


def test_an_import_does_not_create_under_a_given_id(ask: Ask) -> None:
    assert ask("profiles/import", db_id=1, matching="profile_id", profile_id="x")["error"] == 404


def test_a_deleted_profile_is_gone(ask: Ask, sandbox: Sandbox) -> None:
    profile_id = found(ask, email=ONE["email"])["_id"]
    assert ask("profiles/delete", **ONE)["data"] == {"profile_id": profile_id}
    assert ask("profiles/delete", **ONE)["error"] == 404
    assert (1, profile_id) not in sandbox.state.segments[1].profiles


def test_a_batch_has_a_code_per_item_and_is_itself_a_success(ask: Ask) -> None:
    items = [{"email": "x@example.com"}, {"email": "x@example.com"}, {"email": "nonsense"}]
    reply = ask("profiles/add_batch", db_id=2, data=items)
    assert reply["error"] == 0
    assert [item["error"] for item in reply["result"]] == [0, 409, 450]
    assert ["profile_id" in item for item in reply["result"]] == [True, False, False]


def test_batch_items_carry_their_own_matching(ask: Ask) -> None:
    items = [
        {"email": ONE["email"], "data": {"_fname": "One"}},
        {"matching": "phone", "phone": "+79000010002", "_fname": "Two"},
        {"email": "nobody@example.com", "_fname": "Nobody"},
    ]
    reply = ask("profiles/update_batch", db_id=1, data=items)
    assert [item["error"] for item in reply["result"]] == [0, 0, 404]
    names = [found(ask, email=f"customer{number}@example.com")["_fname"] for number in (1, 2)]
    assert names == ["One", "Two"]
    assert [item["error"] for item in ask("profiles/import_batch", db_id=1, data=items)["result"]] == [
        0,
        0,
        0,
    ]


def test_a_refused_subscription_refuses_the_whole_change(ask: Ask) -> None:
    bad = {"_fname": "Jim", "subscriptions": [{"resource_id": 99}]}
    before = found(ask, email=ONE["email"])
    assert ask("profiles/update", **ONE, data=bad)["error"] == 404
    assert found(ask, email=ONE["email"]) == before
    assert ask("profiles/update", **ONE, data=bad, skip_invalid_subscriptions=True)["error"] == 0
    assert found(ask, email=ONE["email"])["_fname"] == "Jim"


def test_segments_are_joined_and_left_with_the_change(ask: Ask, sandbox: Sandbox) -> None:
    profile_id = ask("profiles/import", db_id=1, email="new@example.com", add_to_segments=[1])["profile_id"]
    assert (1, profile_id) in sandbox.state.segments[1].profiles
    ask("profiles/import", db_id=1, email="new@example.com", remove_from_segments="1")
    assert (1, profile_id) not in sandbox.state.segments[1].profiles
    assert ask("profiles/import", db_id=1, email="new@example.com", add_to_segments=[2])["error"] == 450


def test_a_merge_leaves_one_profile_with_what_both_had(ask: Ask) -> None:
    ask("profiles/add", db_id=1, data={"email": "a@example.com", "own": 1})
    ask("profiles/add", db_id=1, data={"email": "b@example.com", "own": 2, "other": 3})
    merge = {"db_id": 1, "source": [{"email": "b@example.com"}], "destination": {"email": "a@example.com"}}
    assert ask("profiles/merge", **merge)["error"] == 0
    merged = found(ask, email="a@example.com")
    assert (merged["own"], merged["other"]) == (1, 3)
    assert ask("profiles/merge", **merge)["error"] == 404


def test_a_profile_is_not_merged_into_itself(ask: Ask) -> None:
    own = {"email": ONE["email"]}
    assert ask("profiles/merge", db_id=1, source=[own], destination=own)["error"] == 450
    assert found(ask, email=ONE["email"])["email"] == ONE["email"]


def test_a_list_is_read_page_by_page(ask: Ask) -> None:
    seen: list[str] = []
    start: dict[str, str] = {}
    while True:
        page = ask("profiles/list", db_id=1, limit=20, fields=["email"], **start)
        assert all(row.keys() == {"_id", "email"} for row in page["data"])
        seen += [row["_id"] for row in page["data"]]
        if "next_from_id" not in page:
            break
        start = {"from_id": page["next_from_id"]}
    assert len(seen) == len(set(seen)) == 52


def test_a_list_is_filtered(ask: Ask) -> None:
    query = {"$or": [{"email": "customer1@example.com"}, {"customer_id": "000002"}]}
    data = ask("profiles/list", db_id=1, query=query)["data"]
    assert {row["email"] for row in data} == {"customer1@example.com", "customer2@example.com"}


def test_a_profile_in_a_resource_has_only_its_subscriptions(ask: Ask) -> None:
    ask("profiles/update", **ONE, data={"subscriptions": [{"resource_id": 2}]})
    assert len(found(ask, email=ONE["email"])["subscriptions"]) == 2
    in_two = found(ask, email=ONE["email"], resource_id=2)["subscriptions"]
    assert [entry["resource_id"] for entry in in_two] == [2]
    assert ask("profiles/get", **ONE, resource_id=3)["error"] == 413
