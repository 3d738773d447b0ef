"""Databases, resources, segments, suppression lists, templates, senders, attachments."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., Any]


def test_a_list_has_what_the_token_sees(ask: Ask) -> None:
    everything = ask("databases/list")
    assert ([row["id"] for row in everything["data"]], everything["total_count"]) == ([1, 2, 3, 4, 5], 5)
    assert [row["id"] for row in ask("databases/list", token="sandbox-partner")["data"]] == [5]


def test_a_list_goes_on_at_the_next_id(ask: Ask) -> None:
    first = ask("databases/list", limit="2")
    assert ([row["id"] for row in first["data"]], first["next_from_id"]) == ([1, 2], 3)
    rest = ask("databases/list", from_id=first["next_from_id"])
    assert [row["id"] for row in rest["data"]] == [3, 4, 5]
    assert "next_from_id" not in rest


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(ask: Ask, limit: int) -> None:
    assert ask("databases/list", limit=limit)["error"] == 450


def test_the_fields_of_a_database(ask: Ask) -> None:
    fields = {row["name"]: row for row in ask("databases/fields_get", id=2)["data"]}
    assert fields["email"] == {"name": "email", "type": "email", "is_unique": True}


def test_a_wiped_database_is_empty(ask: Ask) -> None:
    assert ask("databases/wipe", id=2)["data"] == {"count_action": 0, "count_profile": 2}
    assert ask("databases/wipe", id=2)["data"] == {"count_action": 0, "count_profile": 0}
    assert ask("profiles/get", db_id=2, email="member1@example.com")["error"] == 404


def test_counters_follow_the_subscriptions(ask: Ask) -> None:
    ask("subscriptions/suspend_all", db_id=2)
    data = ask("databases/get_counters", id=2, resource_id=1)["data"]
    assert data == [{"channel": "email", "status": {"suspended": 2}}]
    assert ask("databases/get_counters", id=4, resource_id=1)["error"] == 413


def test_a_static_segment_counts_its_members(ask: Ask) -> None:
    data = ask("segments/get_counters", id=1, resource_id=1)["data"]
    assert data == [{"channel": "email", "status": {"subscribed": 5}}]


def test_a_dynamic_segment_is_not_made_up(ask: Ask) -> None:
    assert ask("segments/get_counters", id=2, resource_id=1)["error"] == 501
    assert ask("profiles/get_all", source_type="segment", source_id=2)["error"] == 501


def test_a_segment_is_added_changed_and_filled(ask: Ask) -> None:
    segment_id = ask("segments/add", name="Mine", is_static=True, list_id=1)["data"]["saved_id"]
    ask("segments/update", id=segment_id, name="Ours")
    assert ask("segments/get", id=segment_id)["data"]["name"] == "Ours"
    profile_id = ask("profiles/get", db_id=1, email="customer9@example.com")["data"]["_id"]
    member = {"segment_id": segment_id, "db_id": 1, "profile_id": profile_id}
    assert ask("profiles/segstatic/add", **member)["profile_id"] == profile_id
    assert ask("segments/get_counters", id=segment_id, resource_id=1)["data"] != []
    ask("profiles/segstatic/remove", **member)
    assert ask("segments/get_counters", id=segment_id, resource_id=1)["data"] == []
    assert ask("profiles/segstatic/add", **{**member, "profile_id": "x"})["error"] == 404


def test_a_dynamic_segment_needs_rules(ask: Ask) -> None:
    assert ask("segments/add", name="Mine")["error"] == 400
    segment_id = ask("segments/add", name="Mine", segment=[{"field": "visits"}])["data"]["saved_id"]
    assert ask("segments/get", id=segment_id)["data"]["segment"] == [{"field": "visits"}]


def test_each_suppression_list_is_another(ask: Ask) -> None:
    ids = [ask("suppresses/add", name=name)["data"]["saved_id"] for name in ("One", "Two")]
    assert ids == [2, 3]
    assert ask("suppresses/get", id=2)["data"]["name"] == "One"


def test_addresses_are_counted_once(ask: Ask) -> None:
    emails = ["a@example.com", "A@example.com", "stop@example.com"]
    counts = ask("suppresses/emails_add", id=1, emails=emails)
    assert (counts["total_count"], counts["total_imported"], counts["total_duplicated"]) == (3, 1, 2)
    assert ask("suppresses/email_add", id=1, email="a@example.com")["total_duplicated"] == 1


@pytest.mark.parametrize("as_hash", [False, True], ids=["itself", "its MD5"])
@pytest.mark.parametrize(("kind", "value"), [("email", "a@example.com"), ("domain", "example.org")])
def test_an_entry_is_removed_by_itself_or_its_hash(ask: Ask, kind: str, value: str, as_hash: bool) -> None:
    ask(f"suppresses/{kind}_add", id=1, **{kind: value})
    named = hashlib.md5(value.encode()).hexdigest() if as_hash else value
    assert ask(f"suppresses/{kind}_remove", id=1, **{kind: named})["error"] == 0
    assert ask(f"suppresses/{kind}_remove", id=1, **{kind: named})["error"] == 404


def test_phones_are_checked(ask: Ask) -> None:
    ask("suppresses/phone_add", id=1, value="+42")
    assert ask("suppresses/phone_check", id=1, value="+42")["data"] == {"is_found": True}
    ask("suppresses/phone_remove", id=1, value="+42")
    assert ask("suppresses/phone_check", id=1, value="+42")["data"] == {"is_found": False}


def test_domains_are_added_together(ask: Ask) -> None:
    assert ask("suppresses/domains_add", id=1, domains=["a.org", "b.org"])["total_imported"] == 2
    assert ask("suppresses/domains_add", id=1)["error"] == 400


def test_a_template_is_kept_until_it_is_deleted(ask: Ask) -> None:
    template_id = ask("templates/add", name="Mine", channels=[{"channel": "sms"}])["data"]["saved_id"]
    assert ask("templates/get", id=template_id)["data"]["channels"] == [{"channel": "sms"}]
    assert ask("templates/delete", id=template_id)["data"] == template_id
    assert ask("templates/get", id=template_id)["error"] == 404
    assert ask("templates/add", name="Next", channels=[{}])["data"]["saved_id"] == template_id + 1


def test_the_admin_lists_need_the_right(ask: Ask) -> None:
    assert ask("senders/list", token="sandbox-reader")["error"] == 0
    assert ask("admin/senders/list", token="sandbox-reader")["error"] == 403
    assert ask("admin/senders/list")["data"][0]["name"] == "Main sender"
    assert ask("vsenders/get", id=1)["data"]["sender_id"] == 1
    assert ask("resources/fields_get", id=1, channel="email")["data"][0]["name"] == "frequency"


def test_every_upload_is_another_file(ask: Ask) -> None:
    sent = {"header": "a.txt", "data": "data:text/plain;base64,aGVsbG8="}
    files = {ask("file_upload", **sent)["data"]["file"] for _ in range(2)}
    assert len(files) == 2
    assert all(len(name) == 36 for name in files)


@pytest.mark.parametrize("data", ["hello", "data:text/plain;base64,***"])
def test_an_upload_that_is_no_data_url_is_refused(ask: Ask, data: str) -> None:
    assert ask("file_upload", header="a.txt", data=data)["error"] == 450
