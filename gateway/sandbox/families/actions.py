"""What profiles do: goals/register, subscribers/history_get and history_get_all."""

import json

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.families.paging import page_of
from gateway.sandbox.records import Event
from gateway.sandbox.state import State
from gateway.sandbox.times import moment, text_of
from gateway.sandbox.values import Fields, Params, Value

_PIXEL_DATA_BYTES = 1024  # goals/register: "a flat object of at most 1 KB"
_GOAL = ("value", "referer", "user_agent", "accept_language", "client_ip", "is_test", "vendor")


def register_goal(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("db_id"))
    pixel_id = params.integer("pixel_id")
    if pixel_id not in state.pixels:
        raise ApiError(Code.NOT_FOUND, "no such pixel")
    profile = find_one(database, params)
    shared: Fields = {"pixel_id": pixel_id, **params.pick(_GOAL), "pixel_data": _pixel_data(params)}
    goals = params.objects("goals") if "goals" in params else [{"goal": params.text("goal"), **shared}]
    at = moment(params, "date", context.now)
    for goal in goals:
        state.events.append(Event(database.id, profile.id, "goal", at, shared | goal))
    return {"profile_id": profile.id}


def _pixel_data(params: Params) -> Fields:
    data = params.object("pixel_data") if "pixel_data" in params else {}
    if any(isinstance(value, dict | list) for value in data.values()):
        raise ApiError(Code.VALIDATION, "pixel_data is not flat")
    if len(json.dumps(data, ensure_ascii=False).encode(errors="replace")) > _PIXEL_DATA_BYTES:
        raise ApiError(Code.VALIDATION, "pixel_data is over 1 KB")
    return data


def history_of_one(state: State, params: Params, context: Context) -> Fields:
    """The database's id is called list_id here."""
    database = context.pick(state.databases, params.integer("list_id"))
    profile = find_one(database, params)
    start = moment(params, "date_from", float("-inf"))
    end = moment(params, "date_to", float("inf"))
    mine = [
        event for event in state.events if (event.database_id, event.profile_id) == (database.id, profile.id)
    ]
    shown: list[Value] = [_public(event) for event in mine if start <= event.at <= end]
    return {"data": shown}


def history_of_all(state: State, params: Params, context: Context) -> Fields:
    database = context.pick(state.databases, params.integer("list_id"))
    params.raw("date_from"), params.raw("date_to")
    start, end = moment(params, "date_from", 0.0), moment(params, "date_to", 0.0)
    names = params.texts("fields")
    rows: list[tuple[str, Fields]] = []
    for number, event in enumerate(state.events):
        if event.database_id == database.id and start <= event.at <= end:
            shown = _public(event)
            rows.append((f"{number:012}", {name: shown[name] for name in names if name in shown} or shown))
    return page_of(rows, params)


def _public(event: Event) -> Fields:
    shown: Fields = {"profile_id": event.profile_id, "type": event.type, "date": text_of(event.at)}
    return {**shown, "details": event.details}
