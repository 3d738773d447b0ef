"""segments/* and profiles/segstatic/*. A dynamic segment's rules are kept, but not evaluated."""

from collections.abc import Callable

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families.databases import counters
from gateway.sandbox.families.paging import list_items
from gateway.sandbox.families.profiles import static_segment
from gateway.sandbox.families.subscriptions import resource_of
from gateway.sandbox.families.tasks import start
from gateway.sandbox.records import Segment
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, Value


def list_page(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.segments, params, context)


def get(state: State, params: Params, context: Context) -> Fields:
    return {"data": context.pick(state.segments, params.integer("id")).public()}


def add(state: State, params: Params, context: Context) -> Fields:
    is_static = params.flag("is_static")
    segment = Segment(
        id=0,
        name=params.text("name"),
        is_static=is_static,
        database_id=_database_id(state, params, context),
        rules=params.optional_objects("segment") if is_static else params.objects("segment"),
    )
    segment.id = state.segments.next_id()
    state.segments.put(segment)
    return {"data": {"saved_id": segment.id}}


def update(state: State, params: Params, context: Context) -> Fields:
    segment = context.pick(state.segments, params.integer("id"))
    name = params.text("name")
    rules = segment.rules if segment.is_static else params.objects("segment")
    database_id = _database_id(state, params, context)
    segment.name, segment.rules = name, rules
    segment.database_id = segment.database_id if database_id is None else database_id
    return {"data": {"saved_id": segment.id}}


def _database_id(state: State, params: Params, context: Context) -> int | None:
    database_id = params.optional_integer("list_id")
    return None if database_id is None else context.pick(state.databases, database_id).id


def get_counters(state: State, params: Params, context: Context) -> Fields:
    return {"data": _count(state, params, context)()}


def refresh_counters(state: State, params: Params, context: Context) -> Fields:
    count = _count(state, params, context)
    return start(state, context, "refresh_counters", lambda: {"counters": count()}, params.integer("id"))


def _count(state: State, params: Params, context: Context) -> Callable[[], list[Value]]:
    """The counting, with everything that can be refused looked up beforehand."""
    segment = context.pick(state.segments, params.integer("id"))
    # v74 of the platform calls the parameter list_id.
    database_id = (
        params.optional_integer("db_id") or params.optional_integer("list_id") or segment.database_id
    )
    if database_id is None:
        raise ApiError(Code.INCORRECT_REQUEST, "db_id is required")
    database = context.pick(state.databases, database_id)
    resource = resource_of(state, context, database, params.integer("resource_id"))
    refuse_dynamic(segment)
    return lambda: counters(database, resource, members(segment, database))


def refuse_dynamic(segment: Segment) -> None:
    """Nothing is made up: which profiles a dynamic segment holds is not simulated."""
    if not segment.is_static:
        raise ApiError(Code.NO_METHOD, "the sandbox does not evaluate dynamic segments")


def members(segment: Segment, database: Database) -> set[str]:
    return {profile_id for database_id, profile_id in segment.profiles if database_id == database.id}


def static_add(state: State, params: Params, context: Context) -> Fields:
    segment, member = _membership(state, params, context)
    segment.profiles.add(member)
    return {"profile_id": member[1]}


def static_remove(state: State, params: Params, context: Context) -> Fields:
    segment, member = _membership(state, params, context)
    segment.profiles.discard(member)
    return {"profile_id": member[1]}


def _membership(state: State, params: Params, context: Context) -> tuple[Segment, tuple[int, str]]:
    database = context.pick(state.databases, params.integer("db_id"))
    segment = static_segment(state, context, database, params.integer("segment_id"))
    profile_id = params.text("profile_id")
    if profile_id not in database.profiles:
        raise ApiError(Code.NOT_FOUND, "no such profile")
    return segment, (database.id, profile_id)
