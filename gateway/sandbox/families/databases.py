"""databases/* and resources/*."""

from collections import Counter

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families.paging import list_items
from gateway.sandbox.families.subscriptions import CHANNELS, resource_of
from gateway.sandbox.families.tasks import start
from gateway.sandbox.records import Resource
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, Value


def list_databases(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.databases, params, context)


def get_database(state: State, params: Params, context: Context) -> Fields:
    return {"data": context.pick(state.databases, params.integer("id")).public()}


def get_database_fields(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("id"))
    fields: list[Value] = [
        {"name": name, "type": kind.value, "is_unique": name in database.unique}
        for name, kind in database.types.items()
    ]
    return {"data": fields}


def get_database_counters(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("id"))
    resource = resource_of(state, context, database, params.integer("resource_id"))
    return {"data": counters(database, resource, set(database.profiles))}


def counters(database: Database, resource: Resource, profile_ids: set[str]) -> list[Value]:
    """Per channel, how many subscriptions of those profiles are in which status."""
    statuses: dict[str, Counter[str]] = {}
    for profile_id in profile_ids:
        for subscription in database.profiles[profile_id].live_subscriptions():
            if subscription.resource_id == resource.id:
                statuses.setdefault(subscription.channel, Counter())[subscription.status] += 1
    return [
        {"channel": channel, "status": dict(statuses[channel])} for channel in CHANNELS if channel in statuses
    ]


def refresh_database_counters(state: State, params: Params, context: Context) -> Fields:
    """The counters here are always current, so the task has only to look at them again."""
    database = context.pick(state.databases, params.integer("id"))
    resource = resource_of(state, context, database, params.integer("resource_id"))
    return start(state, context, "refresh_counters", lambda: _recounted(database, resource), database.id)


def refresh_resource_counters(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("list_id"))
    resource = resource_of(state, context, database, params.integer("id"))
    return start(state, context, "refresh_counters", lambda: _recounted(database, resource), resource.id)


def _recounted(database: Database, resource: Resource) -> Fields:
    return {"total": len(database.profiles), "counters": counters(database, resource, set(database.profiles))}


def wipe(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("id"))
    events = [event for event in state.events if event.database_id == database.id]
    count: Fields = {"count_action": len(events), "count_profile": len(database.profiles)}
    state.events = [event for event in state.events if event.database_id != database.id]
    database.profiles.clear()
    for segment in state.segments:
        segment.profiles = {member for member in segment.profiles if member[0] != database.id}
    return {"data": count}


def list_resources(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.resources, params, context)


def get_resource(state: State, params: Params, context: Context) -> Fields:
    return {"data": context.pick(state.resources, params.integer("id")).public()}


def get_resource_fields(state: State, params: Params, context: Context) -> Fields:
    resource = context.pick(state.resources, params.integer("id"))
    channel = params.text("channel")
    if channel not in CHANNELS:
        raise ApiError(Code.VALIDATION, f"channel {channel!r} does not exist")
    fields: list[Value] = [{"name": name, "type": kind.value} for name, kind in resource.types.items()]
    return {"data": fields}
