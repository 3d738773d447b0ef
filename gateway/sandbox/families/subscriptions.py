"""Subscriptions of profiles to resources: subscriptions/*, and the `subscriptions` of a profile's data."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families.matching import push_address
from gateway.sandbox.families.paging import page_of
from gateway.sandbox.records import Event, Profile, Resource, Subscription
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, Value, as_list, as_text

CHANNELS = ("email", "sms", "push", "telegram_bot", "whatsapp")
STATUSES = ("subscribed", "unsubscribed", "suspended", "complained", "hardbounced", "undefined")
# -1 leaves a status or a priority unchanged; 0 is a value (platform documentation, "Batch profiles update").
_UNCHANGED = -1
_DETAILS = ("custom_fields", "cats", "date", "ip", "url", "cc_data", "provider", "subscription_id")


def resource_of(state: State, context: Context, database: Database, resource_id: int) -> Resource:
    """The resource, if `database` is available in it (else 413)."""
    resource = context.pick(state.resources, resource_id)
    if database.id not in resource.database_ids:
        raise ApiError(Code.DATABASE_NOT_IN_RESOURCE, f"database {database.id}, resource {resource.id}")
    return resource


def merged(
    state: State,
    context: Context,
    database: Database,
    draft: Profile,
    entries: Iterable[Fields],
    *,
    skip_invalid: bool,
) -> list[Subscription]:
    """`draft`'s subscriptions with `entries` added or edited. Invalid ones are refused, or left out."""
    result = list(draft.subscriptions)
    for entry in entries:
        so_far = replace(draft, subscriptions=result)
        try:
            _put(result, _edited(state, context, database, so_far, Params(entry)))
        except ApiError:
            if not skip_invalid:
                raise
    return result


def _edited(
    state: State, context: Context, database: Database, profile: Profile, params: Params
) -> Subscription:
    resource = resource_of(state, context, database, params.integer("resource_id"))
    channel = _channel(params)
    address = _address(channel, profile, params)
    known = _find(profile.subscriptions, resource.id, channel, address)
    base = known or Subscription(resource_id=resource.id, channel=channel, address=address)
    details = {**base.details, **params.pick(_DETAILS)}
    return replace(
        base,
        status=_status(params.values.get("status"), base.status),
        priority=_priority(params, base.priority),
        details=details,
        deleted=False,
    )


def _put(subscriptions: list[Subscription], edited: Subscription) -> None:
    for index, other in enumerate(subscriptions):
        if _key(other) == _key(edited):
            subscriptions[index] = edited
            return
    subscriptions.append(edited)


def _key(subscription: Subscription) -> tuple[int, str, str]:
    return subscription.resource_id, subscription.channel, subscription.address


def _find(
    subscriptions: Iterable[Subscription], resource_id: int, channel: str, address: str
) -> Subscription | None:
    wanted = (resource_id, channel, address)
    return next((subscription for subscription in subscriptions if _key(subscription) == wanted), None)


def _channel(params: Params) -> str:
    channel = params.text("channel", "email")
    if channel not in CHANNELS:
        raise ApiError(Code.VALIDATION, f"channel {channel!r} does not exist")
    return channel


def _address(channel: str, profile: Profile, params: Params) -> str:
    """What was sent, else the profile's own address for the channel."""
    if channel == "push":
        return push_address(params)
    if channel == "email":
        return params.text("email") if "email" in params else _own(profile.fields.get("email"), "email")
    if channel == "sms":
        return params.text("phone") if "phone" in params else _own(profile.fields.get("phones"), "phone")
    data = params.object("cc_data")
    return ":".join(f"{name}={as_text(data[name], name)}" for name in sorted(data))


def _own(value: Value, name: str) -> str:
    owned = as_list(value)
    if not owned:
        raise ApiError(Code.VALIDATION, f"the profile has no {name} to subscribe")
    return as_text(owned[0], name)


def _status(sent: Value, current: str) -> str:
    if sent is None or sent in ("", _UNCHANGED, str(_UNCHANGED)):
        return current
    status = as_text(sent, "status")
    if status not in STATUSES:
        raise ApiError(Code.VALIDATION, f"status {status!r} does not exist")
    return status


def _priority(params: Params, current: int) -> int:
    priority = params.integer("priority", _UNCHANGED)
    return current if priority == _UNCHANGED else priority


# --- the methods -------------------------------------------------------------------------------------------


def _profile(database: Database, params: Params) -> Profile:
    profile = database.profiles.get(params.text("profile_id"))
    if profile is None:
        raise ApiError(Code.NOT_FOUND, "no such profile")
    if profile.is_broken:
        raise ApiError(Code.INTERNAL, f"the record of profile {profile.id} is damaged")
    return profile


def set_one(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("db_id"))
    profile = _profile(database, params)
    edited = _edited(state, context, database, profile, params)
    _put(profile.subscriptions, edited)
    database.profiles[profile.id] = profile
    _log(state, context, database, profile, edited)
    return {"data": edited.public()}


def list_of_profile(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("db_id"))
    profile = _profile(database, params)
    return {"data": [subscription.public() for subscription in profile.live_subscriptions()]}


def list_all(state: State, params: Params, context: Context) -> Fields:
    resource = context.pick(state.resources, params.integer("resource_id"))
    database_id = params.optional_integer("db_id")
    rows: list[tuple[str, Fields]] = []
    for database in state.databases:
        if database.id in resource.database_ids and database_id in (None, database.id):
            rows += _rows(database, resource, params)
    return page_of(rows, params)


def _rows(database: Database, resource: Resource, params: Params) -> list[tuple[str, Fields]]:
    wanted = {name: params.text(name) for name in ("channel", "status") if name in params}
    rows: list[tuple[str, Fields]] = []
    for profile in database.profiles.values():
        for number, subscription in enumerate(profile.live_subscriptions()):
            shown = subscription.public()
            if subscription.resource_id == resource.id and all(shown[key] == wanted[key] for key in wanted):
                place: Fields = {"db_id": database.id, "profile_id": profile.id}
                rows.append((f"{profile.id}-{number:04}", place | shown))
    return rows


def delete(state: State, params: Params, context: Context) -> Fields:
    return _mark(state, params, context, deleted=True)


def undelete(state: State, params: Params, context: Context) -> Fields:
    return _mark(state, params, context, deleted=False)


def _mark(state: State, params: Params, context: Context, *, deleted: bool) -> Fields:
    database = context.pick(state.databases, params.integer("db_id"))
    profile = _profile(database, params)
    resource = resource_of(state, context, database, params.integer("resource_id"))
    channel = _channel(params)
    found = _find(profile.subscriptions, resource.id, channel, _address(channel, profile, params))
    if found is None or found.deleted is deleted:
        raise ApiError(Code.NOT_FOUND, "no such subscription")
    edited = replace(found, deleted=deleted)
    _put(profile.subscriptions, edited)
    _log(state, context, database, profile, edited)
    return {"data": edited.public()}


def suspend_all(state: State, params: Params, context: Context) -> Fields:
    return _move_all(state, params, context, "subscribed", "suspended")


def unsuspend_all(state: State, params: Params, context: Context) -> Fields:
    return _move_all(state, params, context, "suspended", "subscribed")


def _move_all(state: State, params: Params, context: Context, old: str, new: str) -> Fields:
    database = context.pick(state.databases, params.integer("db_id"))
    channel = _channel(params) if "channel" in params else None
    resource_id = params.optional_integer("resource_id")
    if resource_id is not None:
        resource_of(state, context, database, resource_id)
    updated = 0
    for profile in database.profiles.values():
        for index, subscription in enumerate(profile.subscriptions):
            is_meant = channel in (None, subscription.channel) and resource_id in (
                None,
                subscription.resource_id,
            )
            if is_meant and subscription.status == old and not subscription.deleted:
                profile.subscriptions[index] = replace(subscription, status=new)
                updated += 1
    return {"updated": updated}


def _log(
    state: State, context: Context, database: Database, profile: Profile, subscription: Subscription
) -> None:
    kind = "subscription_deleted" if subscription.deleted else "subscription_set"
    state.events.append(Event(database.id, profile.id, kind, context.now, subscription.public()))
