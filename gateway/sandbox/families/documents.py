"""Objects that are kept as sent: templates, senders, virtual senders, and attachments."""

import base64
import binascii

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.paging import list_items
from gateway.sandbox.records import Document
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params


def list_templates(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.templates, params, context)


def get_template(state: State, params: Params, context: Context) -> Fields:
    return {"data": context.pick(state.templates, params.integer("id")).public()}


def add_template(state: State, params: Params, context: Context) -> Fields:
    content = params.pick(("descr", "json_url", "is_draft", "is_confirm", "suppress_id"))
    created = Document(
        id=0,
        name=params.text("name"),
        ui_tags=params.texts("ui_tags"),
        content={"channels": list(params.objects("channels")), **content},
    )
    created.id = state.templates.next_id()
    state.templates.put(created)
    return {"data": {"saved_id": created.id}}


def delete_template(state: State, params: Params, context: Context) -> Fields:
    template = context.pick(state.templates, params.integer("id"))
    state.templates.remove(template.id)
    return {"data": template.id}


def list_senders(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.senders, params, context)


def list_vsenders(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.vsenders, params, context)


def get_vsender(state: State, params: Params, context: Context) -> Fields:
    return {"data": context.pick(state.vsenders, params.integer("id")).public()}


def upload(state: State, params: Params, context: Context) -> Fields:
    """`data` is a base64 `data:` URL; every upload makes another file."""
    scheme, marker, encoded = params.text("data").partition(";base64,")
    if not marker or not scheme.startswith("data:"):
        raise ApiError(Code.VALIDATION, "data is not a base64 data: URL")
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiError(Code.VALIDATION, "data is not base64") from error
    name = params.text("header")
    file_id = state.uuid()
    state.uploads[file_id] = {"header": name, "size": len(content)}
    return {"data": {"file": file_id}}
