"""profiles/*: the records themselves. A call checks all it needs before its first change."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.sandbox.codes import TEXTS, ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families import subscriptions
from gateway.sandbox.families.fieldvalues import changed
from gateway.sandbox.families.matching import find, find_one, matched_fields
from gateway.sandbox.families.paging import page_of
from gateway.sandbox.families.queries import selects
from gateway.sandbox.records import Profile, Segment
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, Value, as_object, is_empty

# What a batch item says beside its fields; `email` is both.
_MATCHING = frozenset(
    {"matching", "phone", "profile_id", "field_name", "field_value", "db_id", "resource_id"}
)


def _database(state: State, params: Params, context: Context) -> Database:
    return context.pick(state.databases, params.integer("db_id"))


def get(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)
    profile = find_one(database, params)
    shown = profile.public()
    if "resource_id" in params:
        resource = subscriptions.resource_of(state, context, database, params.integer("resource_id"))
        mine = [sub for sub in profile.live_subscriptions() if sub.resource_id == resource.id]
        shown["subscriptions"] = [subscription.public() for subscription in mine]
    return {"data": shown}


def list_page(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)
    wanted = selects(as_object(params.values.get("query"), "query"))
    names = params.texts("fields")
    rows: list[tuple[str, Fields]] = []
    for profile in database.profiles.values():
        if not profile.is_broken and wanted(profile.fields):
            shown = profile.public()
            if names:
                shown = {name: shown[name] for name in ("_id", *names) if name in shown}
            rows.append((profile.id, shown))
    return page_of(rows, params)


def add(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)
    profile = _save(state, params, context, database, None, params.object("data"))
    # The documented reply of this method has an empty text.
    return {"error_text": "", "profile_id": profile.id}


def update(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)
    known = find_one(database, params)
    profile = _save(state, params, context, database, known, params.object("data"))
    return {"profile_id": profile.id}


def import_one(state: State, params: Params, context: Context) -> Fields:
    profile = import_profile(state, params, context, _database(state, params, context))
    return {"profile_id": profile.id}


def import_profile(state: State, params: Params, context: Context, database: Database) -> Profile:
    """Changes the profile that matches, or creates one; also what the import_and_start methods do first."""
    known = find(database, params)
    if known is not None and known.is_broken:
        raise ApiError(Code.INTERNAL, f"the record of profile {known.id} is damaged")
    data = params.object("data") if "data" in params else {}
    if known is None:
        if params.text("matching", "email") == "profile_id":
            raise ApiError(Code.NOT_FOUND, "a profile is not created under a given id")
        data = matched_fields(params) | data
    return _save(state, params, context, database, known, data)


def delete(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)
    profile = find_one(database, params)
    if "resource_id" in params:
        subscriptions.resource_of(state, context, database, params.integer("resource_id"))
    _forget(state, database, profile)
    return {"data": {"profile_id": profile.id}}


def merge(state: State, params: Params, context: Context) -> Fields:
    """The sources' values fill what the destination lacks; then the sources are gone."""
    database = _database(state, params, context)
    shared = params.pick(("matching", "field_name", "field_value"))
    target = find_one(database, Params(shared | params.object("destination")))
    sources = [find_one(database, Params(shared | source)) for source in params.objects("source")]
    if any(source.id == target.id for source in sources):
        raise ApiError(Code.VALIDATION, "the destination is also a source")
    fields: Fields = {}
    for source in sources:
        fields = source.fields | fields
    changes = params.object("data") if "data" in params else {}
    fields = changed(fields | target.fields, changes, database.types)
    merged = replace(target, fields=fields)
    if params.flag("subscriptions"):
        merged.subscriptions = [sub for profile in (target, *sources) for sub in profile.subscriptions]
    for source in sources:
        _forget(state, database, source)
    database.profiles[target.id] = merged
    return {"profile_id": target.id}


def add_batch(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)

    def one(item: Fields) -> Profile:
        return _save(state, params, context, database, None, item)

    return each(params.objects("data"), one)


def update_batch(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)

    def one(item: Fields) -> Profile:
        mine = item_params(params, item)
        return _save(state, mine, context, database, find_one(database, mine), mine.object("data"))

    return each(params.objects("data"), one)


def import_batch(state: State, params: Params, context: Context) -> Fields:
    database = _database(state, params, context)

    def one(item: Fields) -> Profile:
        return import_profile(state, item_params(params, item), context, database)

    return each(params.objects("data"), one)


def item_params(params: Params, item: Fields) -> Params:
    """An item's own parameters over the call's. Its fields are in its `data`, or are the item itself: the
    pages say only that each item carries its own matching fields.
    """
    data = item.get("data")
    own = item if isinstance(data, dict) else {**item, "data": _without_matching(item)}
    return Params({**params.values, "data": None, **own})


def _without_matching(item: Fields) -> Value:
    return {name: value for name, value in item.items() if name not in _MATCHING}


def each(items: Iterable[Fields], act: Callable[[Fields], Profile]) -> Fields:
    """One code per item; the outer code stays 0 while items fail."""
    result: list[Value] = []
    for item in items:
        try:
            profile = act(item)
            result.append({"error": Code.OK.value, "error_text": TEXTS[Code.OK], "profile_id": profile.id})
        except ApiError as error:
            result.append({"error": error.code.value, "error_text": error.text})
    return {"result": result}


# --- one record --------------------------------------------------------------------------------------------


def _save(
    state: State, params: Params, context: Context, database: Database, known: Profile | None, data: Fields
) -> Profile:
    """Stores a new record, or `known` with `data` applied; raises without a trace."""
    if known is None and database.quota is not None and len(database.profiles) >= database.quota:
        raise ApiError(Code.TARIFF_LIMIT, f"database {database.id} takes {database.quota} profiles")
    plain = {name: value for name, value in data.items() if name != "subscriptions"}
    draft = replace(known) if known else Profile(id="", fields={})
    draft.fields = changed(draft.fields, plain, database.types)
    _check_unique(database, draft)
    entries = [*_implied_subscription(params, draft), *Params(data).optional_objects("subscriptions")]
    skip_invalid = params.flag("skip_invalid_subscriptions")
    draft.subscriptions = subscriptions.merged(
        state, context, database, draft, entries, skip_invalid=skip_invalid
    )
    joined = _segments(state, params, context, database, "add_to_segments")
    left = _segments(state, params, context, database, "remove_from_segments")
    draft.id = draft.id or state.hex_id(24)
    database.profiles[draft.id] = draft
    for segment in joined:
        segment.profiles.add((database.id, draft.id))
    for segment in left:
        segment.profiles.discard((database.id, draft.id))
    return draft


def _implied_subscription(params: Params, draft: Profile) -> list[Fields]:
    """A `resource_id` beside the data subscribes the profile's e-mail address to that resource."""
    if "resource_id" in params and draft.fields.get("email"):
        return [{"resource_id": params.raw("resource_id")}]
    return []


def _check_unique(database: Database, draft: Profile) -> None:
    for name in database.unique:
        value = draft.fields.get(name)
        others = [] if is_empty(value) else database.profiles.with_field(name, value)
        if any(other.id != draft.id for other in others):
            raise ApiError(Code.DUPLICATE, name)


def _segments(state: State, params: Params, context: Context, database: Database, name: str) -> list[Segment]:
    return [static_segment(state, context, database, item_id) for item_id in params.integers(name)]


def static_segment(state: State, context: Context, database: Database, segment_id: int) -> Segment:
    """A segment that profiles of `database` can be put into by hand."""
    segment = context.pick(state.segments, segment_id)
    if not segment.is_static:
        raise ApiError(Code.VALIDATION, f"segment {segment.id} is not static")
    if segment.database_id not in (None, database.id):
        raise ApiError(Code.VALIDATION, f"segment {segment.id} is of another database")
    return segment


def _forget(state: State, database: Database, profile: Profile) -> None:
    del database.profiles[profile.id]
    for segment in state.segments:
        segment.profiles.discard((database.id, profile.id))
