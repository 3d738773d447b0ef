"""The shipped data against facts of the platform's documentation, written down here a second time by hand."""

import re
from collections import Counter

import pytest

from gateway.catalogue.loading import load
from gateway.catalogue.model import ApiMethod, Effect, Repeats, Replay
from gateway.catalogue.shape import Kind
from gateway.catalogue.template import parse

CATALOGUE = load()
METHODS = list(CATALOGUE)
READS = [method for method in CATALOGUE if not method.effect.modifies]
WRITES = [method for method in CATALOGUE if method.effect.modifies]

READING_VERBS = {"Read", "List", "Check"}
CHANGING_VERBS = {
    *("Activate", "Add", "Attach", "Cancel", "Change", "Clone", "Confirm", "Create", "Credit", "Deactivate"),
    *("Delete", "Detach", "Export", "Import", "Mark", "Merge", "Overwrite", "Put", "Recalculate", "Register"),
    *(
        "Remove",
        "Report",
        "Restore",
        "Send",
        "Spend",
        "Split",
        "Start",
        "Subscribe",
        "Suspend",
        "Take",
        "Turn",
    ),
    *("Unsubscribe", "Upload"),
}
READING_ENDINGS = {
    *("get", "list", "list_all", "export_all", "fields_get", "get_counters", "get_status", "history_get"),
    *("history_get_all", "phone_check", "status", "stats", "balance", "expiring_points", "transactions"),
}

NO_READ_SHOWS = {
    "relations": "the path of reading relations is not public",
    "workflows": "the path of listing scenarios is not public",
    "file_upload": "uploaded files are only ever sent",
}
"""Tags that a write changes although no read carries them, each with its reason."""


def named(method: ApiMethod) -> str:
    return method.name


def test_every_family_has_all_of_its_methods() -> None:
    assert Counter(method.family for method in CATALOGUE) == {
        "profiles": 15,
        "subscriptions": 7,
        "subscribers": 2,
        "relations": 3,
        "databases": 6,
        "resources": 5,
        "segments": 6,
        "suppresses": 12,
        "templates": 4,
        "campaigns": 20,
        "scampaigns": 3,
        "workflows": 5,
        "tasks": 1,
        "file_upload": 1,
        "loyalty": 8,
        "promocodes": 7,
        "goals": 1,
        "pushes": 1,
        "market": 8,
        "senders": 1,
        "vsenders": 2,
        "webver": 1,
        "admin": 3,
    }


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_name_is_made_of_plain_segments(method: ApiMethod) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", method.name)


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_summary_starts_with_a_verb_that_fits_the_effect(method: ApiMethod) -> None:
    verb = method.summary.partition(" ")[0]
    assert verb in (CHANGING_VERBS if method.effect.modifies else READING_VERBS)
    assert method.summary.endswith(".")


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_the_effect_fits_the_name(method: ApiMethod) -> None:
    ending = method.name.rpartition("/")[2]
    assert (ending in READING_ENDINGS) is not method.effect.modifies


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_source_is_a_page_of_the_platforms_documentation(method: ApiMethod) -> None:
    address = r"https://(guides|easy|docs)\.altcraft\.com/[A-Za-z0-9_/+.-]+"
    assert re.fullmatch(rf"{address}|(Developer|Admin) guide( v\d\d)?(, [A-Za-z0-9 -]+)+", method.source)


def test_the_methods_that_start_a_background_task() -> None:
    assert {method.name for method in CATALOGUE if method.effect is Effect.TASK} == {
        "profiles/get_all",
        "databases/refresh_counters",
        "resources/refresh_counters",
        "segments/refresh_counters",
        "campaigns/triggers/start_batch_task",
        "campaigns/triggers/import_and_start_batch_task",
        "workflows/import_and_start_batch_task",
    }


def test_the_methods_that_are_written_with_a_trailing_slash() -> None:
    assert {method.path for method in CATALOGUE if method.path} == {
        "profiles/get/",
        "databases/fields_get/",
        "segments/list/",
        "segments/get/",
        "segments/add/",
        "segments/update/",
        "campaigns/regulars/list/",
        "campaigns/regulars/add/",
        "campaigns/triggers/add/",
        "campaigns/triggers/start/",
    }


def test_repeats_of_the_methods_on_the_platforms_checksum_list_are_known_for_a_day_less_one_hour() -> None:
    assert {method.name: method.window for method in CATALOGUE if method.window is not None} == {
        "profiles/add": 82800,
        "profiles/add_batch": 82800,
        "profiles/update": 82800,
        "profiles/update_batch": 82800,
        "profiles/import": 82800,
        "profiles/import_batch": 82800,
        "suppresses/add": 82800,
    }


def test_the_methods_whose_repeat_would_create_another_object_share_a_request_id() -> None:
    assert {method.name for method in CATALOGUE if method.repeats is Repeats.CONTENT} == {
        "profiles/add",
        "profiles/add_batch",
        "suppresses/add",
    }


def test_an_answer_is_replayed_only_where_it_is_owed() -> None:
    assert {method.replay for method in CATALOGUE} == {Replay.OWED}


def test_only_the_recipients_own_unsubscription_goes_without_a_token() -> None:
    assert [method.name for method in CATALOGUE if not method.carries_token] == ["profiles/message_unsub"]
    assert {method.token for method in CATALOGUE} == {None, "none"}


def test_batches_count_a_code_per_item_where_the_platform_gives_one() -> None:
    batches = {method.name: method.item_results for method in CATALOGUE if method.name.endswith("_batch")}
    assert batches == {
        "profiles/add_batch": "result",
        "profiles/update_batch": "result",
        "profiles/import_batch": "result",
        "workflows/import_and_start_batch": "result",
        "campaigns/triggers/start_batch": None,  # its result lists ids of profiles, without codes
    }
    assert {method.name for method in CATALOGUE if method.item_results} < set(batches)


@pytest.mark.parametrize("name", ["profiles/add_batch", "profiles/update_batch", "profiles/import_batch"])
def test_the_results_of_profile_batches_are_wrapped_in_xml(name: str) -> None:
    result = CATALOGUE.methods[name].reply.field("result")
    assert (result.kind, result.wrapped) == (Kind.LIST, True)
    assert result.items.field("error").kind is Kind.INTEGER


@pytest.mark.parametrize("method", READS, ids=named)
def test_what_is_read_is_fresh_for_no_longer_than_five_minutes(method: ApiMethod) -> None:
    assert method.ttl is None or method.ttl <= 300


@pytest.mark.parametrize("method", WRITES, ids=named)
def test_a_write_has_no_lifetime(method: ApiMethod) -> None:
    assert (method.ttl, method.stale_while_revalidate, method.stale_if_error) == (None, None, None)


@pytest.mark.parametrize(
    "name",
    [
        *("profiles/get", "profiles/list", "subscriptions/list", "subscriptions/list_all"),
        *("subscribers/history_get", "subscribers/history_get_all"),
        *("loyalty/account/balance", "loyalty/account/expiring_points", "loyalty/account/transactions"),
        *("tasks/status", "campaigns/get_status", "market/orders/get_status", "admin/senders/queue/stats"),
        *("suppresses/phone_check", "promocodes/get", "promocodes/export_all"),
    ],
)
def test_what_must_not_be_old_is_never_kept_by_default(name: str) -> None:
    assert CATALOGUE.methods[name].ttl == 0


@pytest.mark.parametrize(
    "name",
    [
        *("databases/list", "databases/get", "databases/fields_get", "databases/get_counters"),
        *("resources/list", "resources/get", "resources/fields_get"),
        *("segments/list", "segments/get", "segments/get_counters", "senders/list"),
        *("suppresses/list", "suppresses/get", "templates/list", "templates/get"),
    ],
)
def test_statistics_lists_and_descriptions_are_kept_for_a_while(name: str) -> None:
    ttl = CATALOGUE.methods[name].ttl
    assert ttl is not None
    assert 30 <= ttl <= 300


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_tag_is_taken_from_a_parameter_that_the_method_has(method: ApiMethod) -> None:
    templates = map(parse, method.tags or method.invalidates)
    used = {template.parameter for template in templates if template.parameter is not None}
    assert used <= set(method.parameters.fields)


@pytest.mark.parametrize("method", WRITES, ids=named)
def test_what_a_write_changes_is_shown_by_some_read(method: ApiMethod) -> None:
    shown = {method.family for method in READS} | {parse(tag).kind for read in READS for tag in read.tags}
    assert {parse(tag).kind for tag in method.invalidates} <= shown | set(NO_READ_SHOWS)


def test_a_reason_for_a_tag_that_no_read_carries_is_given_only_where_it_is_needed() -> None:
    changed = {parse(tag).kind for method in WRITES for tag in method.invalidates}
    shown = {method.family for method in READS} | {parse(tag).kind for method in READS for tag in method.tags}
    assert changed - shown == set(NO_READ_SHOWS)


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_the_kind_of_a_tag_is_no_familys_name(method: ApiMethod) -> None:
    templates = map(parse, method.tags or method.invalidates)
    families = {method.family for method in CATALOGUE}
    assert not {template.kind for template in templates if template.value or template.parameter} & families


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("profiles/import", "db_id", Kind.INTEGER),
        ("profiles/import", "field_value", Kind.ANY),
        ("profiles/import", "phone", Kind.STRING),
        ("profiles/import", "data._status", Kind.INTEGER),
        ("profiles/import", "data._postal_code", Kind.ANY),
        ("profiles/import", "data.phones", Kind.LIST),
        ("profiles/import", "data.subscriptions.[].resource_id", Kind.INTEGER),
        ("profiles/import", "data.subscriptions.[].status", Kind.ANY),
        ("profiles/import_batch", "data.[].data.subscriptions.[].cats", Kind.LIST),
        ("profiles/list", "query", Kind.OBJECT),
        ("profiles/list", "fields.[]", Kind.STRING),
        ("profiles/message_unsub", "smid", Kind.ANY),
        ("campaigns/triggers/start", "id", Kind.ANY),
        ("campaigns/triggers/start_batch", "data.[].email", Kind.STRING),
        ("campaigns/regulars/add", "aglimit_percent", Kind.NUMBER),
        ("databases/list", "groups_id.[]", Kind.INTEGER),
        ("loyalty/accrue_points", "amount", Kind.STRING),
        ("goals/register", "value", Kind.NUMBER),
        ("market/orders/list", "from_id", Kind.ANY),
        ("workflows/import_and_start_batch_task", "data", Kind.ANY),
    ],
)
def test_a_parameter_has_the_documented_type(name: str, path: str, kind: Kind) -> None:
    shape = CATALOGUE.methods[name].parameters
    for step in path.split("."):
        shape = shape.items if step == "[]" else shape.field(step)
    assert shape.kind is kind


@pytest.mark.parametrize(
    ("name", "path", "kind"),
    [
        ("databases/list", "data", Kind.LIST),
        ("databases/list", "data.[].ui_tags", Kind.LIST),
        ("databases/list", "next_from_id", Kind.INTEGER),
        ("profiles/get", "data.subscriptions", Kind.LIST),
        ("subscriptions/list", "data", Kind.LIST),
        ("subscriptions/suspend_all", "updated", Kind.INTEGER),
        ("tasks/status", "data.result.errors", Kind.LIST),
        ("tasks/status", "data.result.urls", Kind.LIST),
        ("segments/get_counters", "data.[].status.subscribed_sendable", Kind.INTEGER),
        ("templates/delete", "data", Kind.INTEGER),
        ("suppresses/add", "data.saved_id", Kind.INTEGER),
        ("promocodes/activate", "data", Kind.OBJECT),
        ("loyalty/account/balance", "data.total_balance", Kind.STRING),
        ("market/orders/delete", "result", Kind.LIST),
    ],
)
def test_a_reply_has_the_documented_shape(name: str, path: str, kind: Kind) -> None:
    shape = CATALOGUE.methods[name].reply
    for step in path.split("."):
        shape = shape.items if step == "[]" else shape.field(step)
    assert shape.kind is kind
