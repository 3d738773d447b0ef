"""The shipped tags at work: which kept reads a write makes worthless, and which it leaves alone."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from gateway.catalogue.loading import load
from gateway.policy.tags import TagRule

CATALOGUE = load()

Body = Mapping[str, object]
PROFILE = {"db_id": 7, "matching": "email", "email": "jim@example.com"}


def tags(name: str, body: Body) -> set[str]:
    fields = msgspec.json.decode(json.dumps(body), type=dict[str, msgspec.Raw])
    return set(TagRule.of(CATALOGUE.methods[name]).tags(fields))


@pytest.mark.parametrize(
    ("write", "written", "read", "asked"),
    [
        ("profiles/update", PROFILE, "profiles/get", {"db_id": "7"}),
        ("profiles/import", PROFILE, "profiles/list", {"db_id": 7}),
        ("profiles/add_batch", {"db_id": 7, "data": []}, "databases/get", {"id": 7}),
        ("profiles/delete", PROFILE, "databases/get_counters", {"id": "7", "resource_id": 3}),
        ("profiles/delete", PROFILE, "subscribers/history_get", {"list_id": 7}),
        ("profiles/merge", PROFILE, "subscribers/history_get_all", {"list_id": 7}),
        ("profiles/add", PROFILE, "segments/get", {"id": 2}),
        ("profiles/add", PROFILE, "segments/get_counters", {"id": 2, "resource_id": 3, "list_id": 7}),
        ("profiles/update", PROFILE, "loyalty/account/balance", {"loyalty_program_id": 1}),
        ("profiles/segstatic/add", {"segment_id": 2, "db_id": 7}, "segments/get", {"id": "2"}),
        ("profiles/segstatic/remove", {"segment_id": 2, "db_id": 7}, "segments/list", {}),
        ("profiles/split", {}, "profiles/get", {"db_id": 7}),
        ("profiles/message_unsub", {"rtoken": "r", "smid": "1"}, "subscriptions/list", {"db_id": 7}),
        ("subscriptions/set", {"db_id": 7, "resource_id": 3}, "profiles/get", {"db_id": 7}),
        ("subscriptions/set", {"db_id": 7, "resource_id": 3}, "subscriptions/list_all", {"resource_id": 3}),
        ("subscriptions/suspend_all", {"db_id": 7}, "databases/get_counters", {"id": 7, "resource_id": 3}),
        ("relations/edit", {"rel_id": 1}, "profiles/get", {"db_id": 7}),
        ("goals/register", {"db_id": 7, "pixel_id": 1}, "subscribers/history_get", {"list_id": 7}),
        ("databases/wipe", {"id": 7}, "profiles/get", {"db_id": 7}),
        ("databases/wipe", {"id": 7}, "segments/get_counters", {"id": 2, "resource_id": 3}),
        ("databases/refresh_counters", {"id": 7}, "databases/get_counters", {"id": 7, "resource_id": 3}),
        ("resources/refresh_counters", {"id": 3, "list_id": 7}, "databases/get_counters", {"id": 7}),
        ("resources/refresh_counters", {"id": 3, "list_id": 7}, "resources/get", {"id": 3}),
        ("segments/refresh_counters", {"id": 2}, "segments/get_counters", {"id": 2, "resource_id": 3}),
        ("segments/add", {"name": "new"}, "segments/list", {"limit": 10}),
        ("segments/update", {"id": 2}, "segments/get", {"id": 2}),
        ("segments/update", {"id": 2}, "segments/list", {}),
        ("suppresses/email_add", {"id": 4, "email": "a@b"}, "suppresses/get", {"id": 4}),
        (
            "suppresses/phone_add",
            {"id": 4, "value": "+7"},
            "suppresses/phone_check",
            {"id": 4, "value": "+7"},
        ),
        ("suppresses/email_add", {"id": 4}, "databases/get_counters", {"id": 7, "resource_id": 3}),
        ("suppresses/add", {"name": "new"}, "suppresses/list", {}),
        ("templates/add", {"name": "new"}, "templates/list", {}),
        ("templates/delete", {"id": 5}, "templates/get", {"id": 5}),
        ("campaigns/deactivate", {"id": "15"}, "campaigns/get", {"id": 15}),
        ("campaigns/deactivate", {"id": "15"}, "campaigns/triggers/get", {"id": 15}),
        ("campaigns/triggers/clone", {"id": 15}, "campaigns/list", {}),
        ("campaigns/triggers/start", {"id": "15"}, "campaigns/get_status", {"id": 15}),
        ("campaigns/triggers/start", {"id": 15}, "subscribers/history_get", {"list_id": 7}),
        ("campaigns/triggers/import_and_start", {"db_id": 7, "trigger_id": 15}, "profiles/get", {"db_id": 7}),
        ("campaigns/triggers/import_and_start", {"trigger_id": 15}, "profiles/get", {"db_id": 7}),
        ("campaigns/triggers/import_and_start_batch_task", {"trigger_id": 15}, "profiles/get", {"db_id": 7}),
        ("campaigns/broadcasts/start", {"id": 16}, "subscribers/history_get_all", {"list_id": 7}),
        ("scampaigns/activate", {"id": 1}, "scampaigns/list", {}),
        ("scampaigns/activate", {"id": 1}, "campaigns/get_status", {"id": 15}),
        ("workflows/import_and_start", {"workflow_id": 1}, "profiles/get", {"db_id": 7}),
        ("workflows/start", {"id": 1}, "databases/get_counters", {"id": 7, "resource_id": 3}),
        (
            "loyalty/accrue_points",
            {"loyalty_program_id": 1},
            "loyalty/account/balance",
            {"loyalty_program_id": 1},
        ),
        (
            "loyalty/commit_transaction",
            {"transaction_id": "t"},
            "loyalty/account/balance",
            {"loyalty_program_id": 1},
        ),
        ("loyalty/redeeme_points", {"loyalty_program_id": 1}, "loyalty/account/transactions", {}),
        (
            "promocodes/attach",
            {"loyalty_id": 1, "db_id": 7},
            "promocodes/get",
            {"loyalty_id": 1, "code": "A"},
        ),
        ("promocodes/attach", {"loyalty_id": 1, "db_id": 7}, "profiles/get", {"db_id": 7}),
        ("promocodes/import", {"loyalty_id": 1}, "promocodes/export_all", {"loyalty_id": 1}),
        ("market/orders/import", {}, "market/orders/get_status", {"id": "o-1"}),
        ("market/sku/delete", {"ids": [1]}, "market/products/list", {}),
        ("pushes/post_events", {"events": 1}, "subscribers/history_get", {"list_id": 7}),
    ],
)
def test_a_write_reaches_the_reads_that_show_it(write: str, written: Body, read: str, asked: Body) -> None:
    assert tags(write, written) & tags(read, asked)


@pytest.mark.parametrize(
    ("write", "written", "read", "asked"),
    [
        ("profiles/update", PROFILE, "profiles/get", {"db_id": 8}),
        ("profiles/update", PROFILE, "databases/get_counters", {"id": 8, "resource_id": 3}),
        ("profiles/update", PROFILE, "databases/list", {}),
        ("profiles/update", PROFILE, "databases/fields_get", {"id": 7}),
        ("profiles/update", PROFILE, "segments/list", {}),
        ("profiles/update", PROFILE, "templates/get", {"id": 7}),
        ("segments/add", {"name": "new"}, "segments/get", {"id": 2}),
        ("segments/update", {"id": 2}, "segments/get_counters", {"id": 3, "resource_id": 2}),
        ("suppresses/email_add", {"id": 4}, "suppresses/get", {"id": 5}),
        ("templates/add", {"name": "new"}, "templates/get", {"id": 5}),
        ("campaigns/triggers/start", {"id": 15}, "campaigns/get", {"id": 16}),
        (
            "loyalty/accrue_points",
            {"loyalty_program_id": 1},
            "loyalty/account/balance",
            {"loyalty_program_id": 2},
        ),
        ("market/orders/delete", {"id": 1}, "market/products/list", {}),
        ("file_upload", {"header": "a.pdf", "data": ""}, "templates/list", {}),
        ("profiles/get_all", {"source_type": "database", "source_id": 7}, "profiles/get", {"db_id": 7}),
    ],
)
def test_a_write_leaves_other_things_alone(write: str, written: Body, read: str, asked: Body) -> None:
    assert not tags(write, written) & tags(read, asked)


def test_every_read_is_reached_by_a_purge_of_its_family() -> None:
    for method in CATALOGUE:
        if not method.effect.modifies:
            assert {"*", method.family} <= tags(method.name, {})
