"""profiles/get_all: an export to a file, fetched with GET and an Authorization header."""

import json

from gateway.sandbox import csvform
from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.database import Database
from gateway.sandbox.families.queries import selects
from gateway.sandbox.families.segments import members, refuse_dynamic
from gateway.sandbox.families.tasks import DOWNLOADS, start
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params, as_object

_FORMATS = ("csv", "json")


def get_all(state: State, params: Params, context: Context) -> Fields:
    database, segment_members = _source(state, params, context)
    file_format = params.text("file_format", "csv")
    if file_format not in _FORMATS:
        raise ApiError(Code.VALIDATION, f"file_format {file_format!r} does not exist")
    wanted = selects(as_object(params.values.get("custom_request"), "custom_request"))
    name = f"{state.hex_id(16)}.{file_format}"

    def work() -> Fields:
        profiles = [
            profile.public()
            for profile in database.profiles.values()
            if not profile.is_broken and wanted(profile.fields)
            if segment_members is None or profile.id in segment_members
        ]
        state.files[name] = _written(profiles, file_format)
        return {"total": len(profiles), "urls": [f"{context.origin}{DOWNLOADS}{name}"]}

    return start(state, context, "profiles_export", work, params.integer("source_id"))


def _source(state: State, params: Params, context: Context) -> tuple[Database, set[str] | None]:
    kind, source_id = params.text("source_type"), params.integer("source_id")
    if kind == "database":
        return context.pick(state.databases, source_id), None
    if kind != "segment":
        raise ApiError(Code.VALIDATION, f"source_type {kind!r} does not exist")
    segment = context.pick(state.segments, source_id)
    refuse_dynamic(segment)
    if segment.database_id is None:
        raise ApiError(Code.VALIDATION, f"segment {segment.id} is of no database")
    database = context.pick(state.databases, segment.database_id)
    return database, members(segment, database)


def _written(profiles: list[Fields], file_format: str) -> bytes:
    """A table has no place for a list of objects, so CSV leaves the subscriptions out."""
    if file_format == "json":
        return json.dumps(profiles).encode()
    columns = [{name: row[name] for name in row if name != "subscriptions"} for row in profiles]
    return csvform.encode(columns)
