"""suppresses/*: lists of addresses, domains and phones that nothing is sent to."""

import hashlib
from collections.abc import Iterable

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.paging import list_items
from gateway.sandbox.records import SuppressionList
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params


def _list(state: State, params: Params, context: Context) -> SuppressionList:
    return context.pick(state.suppresses, params.integer("id"))


def list_page(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.suppresses, params, context)


def get(state: State, params: Params, context: Context) -> Fields:
    return {"data": _list(state, params, context).public()}


def add(state: State, params: Params, context: Context) -> Fields:
    created = SuppressionList(id=0, name=params.text("name"), description=params.text("description", ""))
    created.id = state.suppresses.next_id()
    state.suppresses.put(created)
    return {"data": {"saved_id": created.id}}


def add_email(state: State, params: Params, context: Context) -> Fields:
    return _added(_list(state, params, context).emails, [params.text("email")])


def add_emails(state: State, params: Params, context: Context) -> Fields:
    params.raw("emails")
    return _added(_list(state, params, context).emails, params.texts("emails"))


def remove_email(state: State, params: Params, context: Context) -> Fields:
    return _removed(_list(state, params, context).emails, params.text("email"))


def add_domain(state: State, params: Params, context: Context) -> Fields:
    return _added(_list(state, params, context).domains, [params.text("domain")])


def add_domains(state: State, params: Params, context: Context) -> Fields:
    params.raw("domains")
    return _added(_list(state, params, context).domains, params.texts("domains"))


def remove_domain(state: State, params: Params, context: Context) -> Fields:
    return _removed(_list(state, params, context).domains, params.text("domain"))


def add_phone(state: State, params: Params, context: Context) -> Fields:
    return _added(_list(state, params, context).phones, [params.text("value")])


def remove_phone(state: State, params: Params, context: Context) -> Fields:
    return _removed(_list(state, params, context).phones, params.text("value"))


def check_phone(state: State, params: Params, context: Context) -> Fields:
    return {"data": {"is_found": params.text("value") in _list(state, params, context).phones}}


def _added(entries: set[str], values: Iterable[str]) -> Fields:
    """Counts as the documented reply of emails_add does; an address in the list already is a duplicate."""
    sent = [value.strip().casefold() for value in values]
    fresh = set(sent) - entries
    entries |= fresh
    return {
        "total_count": len(sent),
        "total_duplicated": len(sent) - len(fresh),
        "total_imported": len(fresh),
        "total_updated": 0,
    }


def _removed(entries: set[str], value: str) -> Fields:
    """`value` is the entry itself or its MD5 (documented for e-mail addresses and domains)."""
    wanted = value.strip().casefold()
    found = {entry for entry in entries if wanted in (entry, _md5(entry))}
    if not found:
        raise ApiError(Code.NOT_FOUND, "no such entry")
    entries -= found
    return {"data": None}


def _md5(entry: str) -> str:
    return hashlib.md5(entry.encode(), usedforsecurity=False).hexdigest()
