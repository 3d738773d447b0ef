"""The table of the methods that the stand-in knows: what each needs, what it changes, and who answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.sandbox.context import Context
from gateway.sandbox.families import (
    actions,
    campaigns,
    databases,
    documents,
    exports,
    loyalty,
    profiles,
    promocodes,
    relations,
    segments,
    subscriptions,
    suppresses,
    tasks,
    workflows,
)
from gateway.sandbox.state import State
from gateway.sandbox.tokens import Right
from gateway.sandbox.values import Fields, Params

Handler = Callable[[State, Params, Context], Fields]

_READ, _WRITE = Right.READ, Right.MODIFY


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `modifies` decides whether repeats are recognised; `has_checksum`, whether also without a
    `Request-ID`. `xml_root` and `nested` are where its XML reply differs from the usual shape; `has_csv`,
    whether `format` may be csv.
    """

    name: str
    handle: Handler
    right: Right = _READ
    modifies: bool = False
    has_checksum: bool = False
    xml_root: str = "xml"
    nested: frozenset[str] = frozenset()
    has_csv: bool = False


def _read(name: str, handle: Handler, right: Right = _READ) -> Method:
    return Method(name, handle, right)


def _write(name: str, handle: Handler, right: Right = _WRITE) -> Method:
    return Method(name, handle, right, modifies=True)


def _batch(name: str, handle: Handler) -> Method:
    """A launch for many: its XML reply keeps items in nested elements, as that of profiles/add_batch."""
    return Method(name, handle, Right.RUN, modifies=True, nested=frozenset({"result"}))


def _checked(name: str, handle: Handler, xml_root: str = "xml") -> Method:
    """A write that is on the documented list of methods with a checksum."""
    return Method(name, handle, _WRITE, modifies=True, has_checksum=True, xml_root=xml_root)


def _checked_batch(name: str, handle: Handler) -> Method:
    return Method(name, handle, _WRITE, modifies=True, has_checksum=True, nested=frozenset({"result"}))


_METHODS = (
    _read("profiles/get", profiles.get),
    _read("profiles/list", profiles.list_page),
    _write("profiles/get_all", exports.get_all, _READ),
    _checked("profiles/add", profiles.add),
    _checked_batch("profiles/add_batch", profiles.add_batch),
    _checked("profiles/update", profiles.update),
    _checked_batch("profiles/update_batch", profiles.update_batch),
    _checked("profiles/import", profiles.import_one),
    _checked_batch("profiles/import_batch", profiles.import_batch),
    _write("profiles/delete", profiles.delete, Right.DELETE_PROFILES),
    _write("profiles/merge", profiles.merge, Right.DELETE_PROFILES),
    _write("profiles/segstatic/add", segments.static_add),
    _write("profiles/segstatic/remove", segments.static_remove),
    _write("subscriptions/set", subscriptions.set_one),
    _read("subscriptions/list", subscriptions.list_of_profile),
    _read("subscriptions/list_all", subscriptions.list_all),
    _write("subscriptions/delete", subscriptions.delete),
    _write("subscriptions/undelete", subscriptions.undelete),
    _write("subscriptions/suspend_all", subscriptions.suspend_all),
    _write("subscriptions/unsuspend_all", subscriptions.unsuspend_all),
    _read("databases/list", databases.list_databases),
    _read("databases/get", databases.get_database),
    _read("databases/fields_get", databases.get_database_fields),
    _read("databases/get_counters", databases.get_database_counters),
    _write("databases/refresh_counters", databases.refresh_database_counters, _READ),
    _write("databases/wipe", databases.wipe, Right.WIPE),
    _read("resources/list", databases.list_resources),
    _read("resources/get", databases.get_resource),
    _read("resources/fields_get", databases.get_resource_fields),
    _write("resources/refresh_counters", databases.refresh_resource_counters, _READ),
    _read("segments/list", segments.list_page),
    _read("segments/get", segments.get),
    _write("segments/add", segments.add),
    _write("segments/update", segments.update),
    _read("segments/get_counters", segments.get_counters),
    _write("segments/refresh_counters", segments.refresh_counters, _READ),
    _read("suppresses/list", suppresses.list_page),
    _read("suppresses/get", suppresses.get),
    # The only page whose XML reply has another root.
    _checked("suppresses/add", suppresses.add, xml_root="result"),
    _write("suppresses/email_add", suppresses.add_email),
    _write("suppresses/emails_add", suppresses.add_emails),
    _write("suppresses/email_remove", suppresses.remove_email),
    _write("suppresses/domain_add", suppresses.add_domain),
    _write("suppresses/domains_add", suppresses.add_domains),
    _write("suppresses/domain_remove", suppresses.remove_domain),
    _write("suppresses/phone_add", suppresses.add_phone),
    _write("suppresses/phone_remove", suppresses.remove_phone),
    _read("suppresses/phone_check", suppresses.check_phone),
    _read("templates/list", documents.list_templates),
    _read("templates/get", documents.get_template),
    _write("templates/add", documents.add_template),
    _write("templates/delete", documents.delete_template),
    _read("senders/list", documents.list_senders),
    _read("vsenders/list", documents.list_vsenders),
    _read("vsenders/get", documents.get_vsender),
    _read("admin/senders/list", documents.list_senders, Right.ADMIN),
    _read("admin/vsenders/list", documents.list_vsenders, Right.ADMIN),
    _read("campaigns/list", campaigns.list_all),
    _read("campaigns/get", campaigns.get),
    _read("campaigns/get_status", campaigns.get_status),
    _write("campaigns/activate", campaigns.activate, Right.RUN),
    _write("campaigns/deactivate", campaigns.deactivate, Right.RUN),
    _write("campaigns/broadcasts/add", campaigns.add_broadcast),
    _write("campaigns/broadcasts/update", campaigns.update_broadcast),
    _write("campaigns/broadcasts/start", campaigns.start_broadcast, Right.RUN),
    _read("campaigns/regulars/list", campaigns.list_regulars),
    _read("campaigns/regulars/get", campaigns.get_regular),
    _write("campaigns/regulars/add", campaigns.add_regular),
    _write("campaigns/regulars/start", campaigns.start_regular, Right.RUN),
    _read("campaigns/triggers/get", campaigns.get_trigger),
    _write("campaigns/triggers/add", campaigns.add_trigger),
    _write("campaigns/triggers/clone", campaigns.clone_trigger),
    _write("campaigns/triggers/start", campaigns.start_trigger, Right.RUN),
    _write("campaigns/triggers/start_batch", campaigns.start_triggers, Right.RUN),
    _write("campaigns/triggers/start_batch_task", campaigns.start_triggers_task, Right.RUN),
    _write("campaigns/triggers/import_and_start", campaigns.import_and_start_trigger, Right.RUN),
    _write(
        "campaigns/triggers/import_and_start_batch_task", campaigns.import_and_start_triggers_task, Right.RUN
    ),
    _read("scampaigns/list", campaigns.list_supers),
    _write("scampaigns/activate", campaigns.activate_super, Right.RUN),
    _write("scampaigns/completed", campaigns.complete_super, Right.RUN),
    _write("workflows/activate", workflows.activate, Right.RUN),
    _write("workflows/start", workflows.start, Right.RUN),
    _write("workflows/import_and_start", workflows.import_and_start, Right.RUN),
    _batch("workflows/import_and_start_batch", workflows.import_and_start_batch),
    _write("workflows/import_and_start_batch_task", workflows.import_and_start_batch_task, Right.RUN),
    _write("loyalty/register_member", loyalty.register_member, Right.LOYALTY),
    _write("loyalty/accrue_points", loyalty.accrue, Right.LOYALTY),
    # Spelt like this in the documentation.
    _write("loyalty/redeeme_points", loyalty.redeem, Right.LOYALTY),
    _write("loyalty/commit_transaction", loyalty.commit, Right.LOYALTY),
    _write("loyalty/cancel_transaction", loyalty.cancel, Right.LOYALTY),
    _read("loyalty/account/balance", loyalty.balance),
    _read("loyalty/account/expiring_points", loyalty.expiring),
    _read("loyalty/account/transactions", loyalty.transactions),
    _write("promocodes/import", promocodes.import_codes, Right.LOYALTY),
    _read("promocodes/get", promocodes.get),
    _write("promocodes/activate", promocodes.activate, Right.LOYALTY),
    _write("promocodes/update", promocodes.update, Right.LOYALTY),
    _write("promocodes/attach", promocodes.attach, Right.LOYALTY),
    _write("promocodes/detach", promocodes.detach, Right.LOYALTY),
    _read("promocodes/export_all", promocodes.export_all),
    _write("goals/register", actions.register_goal),
    _read("subscribers/history_get", actions.history_of_one),
    Method("subscribers/history_get_all", actions.history_of_all, has_csv=True),
    _write("relations/edit", relations.edit),
    _write("relations/strengthen", relations.strengthen),
    _write("relations/detach", relations.detach),
    _write("file_upload", documents.upload),
    _read("tasks/status", tasks.status),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _METHODS}
