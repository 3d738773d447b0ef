"""Sending: whom a launch reaches, and the note in the outbox for each message that was really sent."""

from collections.abc import Iterable

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.families.queries import selects
from gateway.sandbox.families.segments import members, refuse_dynamic
from gateway.sandbox.records import Event, Launchable, Message, Profile
from gateway.sandbox.state import Shelf, State
from gateway.sandbox.values import Fields, Params, as_integer, as_object


def pick(shelf: Shelf[Launchable], context: Context, params: Params, name: str, kind: str = "") -> Launchable:
    """The campaign or scenario that the parameter `name` means; one of another kind is not found."""
    found = context.pick(shelf, params.integer(name))
    if kind and found.type != kind:
        raise ApiError(Code.NOT_FOUND, f"{found.id} is not a {kind} campaign")
    return found


def pick_active(
    shelf: Shelf[Launchable], context: Context, params: Params, name: str, kind: str
) -> Launchable:
    found = pick(shelf, context, params, name, kind)
    if not found.is_active:
        raise ApiError(Code.VALIDATION, f"{kind} {found.id} is not active")
    return found


def database_of(state: State, context: Context, launch: Launchable) -> Database:
    """Where the launch looks for its profiles."""
    return context.pick(state.databases, as_integer(launch.content.get("db_id"), "db_id"))


def recipients(state: State, params: Params, context: Context, launch: Launchable) -> list[Profile]:
    """The profile that matches, or all that a `custom_request` selects."""
    database = database_of(state, context, launch)
    if "custom_request" not in params:
        return [find_one(database, params)]
    wanted = selects(as_object(params.values["custom_request"], "custom_request"))
    return [
        profile for profile in database.profiles.values() if not profile.is_broken and wanted(profile.fields)
    ]


def audience(
    state: State, params: Params, context: Context, launch: Launchable
) -> tuple[Database, list[Profile]]:
    """The database or static segment that a broadcast goes to, which a start may override and limit."""
    content = Params(launch.content)
    kind = params.text("override_source_type", content.text("data_type"))
    source_id = params.integer("override_source_id", content.integer("data_id"))
    profiles: Iterable[Profile]
    if kind == "segment":
        segment = context.pick(state.segments, source_id)
        refuse_dynamic(segment)
        database = context.pick(state.databases, segment.database_id or 0)
        inside = members(segment, database)
        profiles = [profile for profile in database.profiles.values() if profile.id in inside]
    elif kind == "database":
        database = context.pick(state.databases, source_id)
        profiles = list(database.profiles.values())
    else:
        raise ApiError(Code.VALIDATION, f"the source type {kind!r} does not exist")
    whole = [profile for profile in profiles if not profile.is_broken]
    return database, whole[: params.integer("override_limit", len(whole))]


def send(
    state: State, context: Context, launch: Launchable, database: Database, profiles: Iterable[Profile]
) -> None:
    for profile in profiles:
        state.outbox.append(Message(launch.id, launch.type, profile.id, context.now))
        details: Fields = {"launch_id": launch.id, "launch_type": launch.type}
        state.events.append(Event(database.id, profile.id, "sent", context.now, details))
