"""workflows/*: automation scenarios. Their steps are not simulated: a start is one note in the outbox."""

from gateway.sandbox.context import Context
from gateway.sandbox.families.campaigns import import_and_send, import_and_send_task
from gateway.sandbox.families.launches import database_of, pick, pick_active, recipients, send
from gateway.sandbox.families.profiles import import_profile
from gateway.sandbox.state import State
from gateway.sandbox.values import Fields, Params


def activate(state: State, params: Params, context: Context) -> Fields:
    pick(state.workflows, context, params, "id").is_active = True
    return {"data": None}


def start(state: State, params: Params, context: Context) -> Fields:
    workflow = pick_active(state.workflows, context, params, "id", "scenario")
    profiles = recipients(state, params, context, workflow)
    send(state, context, workflow, database_of(state, context, workflow), profiles)
    return {"profile_id": profiles[0].id} if "custom_request" not in params else {"count": len(profiles)}


def import_and_start(state: State, params: Params, context: Context) -> Fields:
    workflow = pick_active(state.workflows, context, params, "workflow_id", "scenario")
    database = database_of(state, context, workflow)
    profile = import_profile(state, params, context, database)
    send(state, context, workflow, database, [profile])
    return {"profile_id": profile.id}


def import_and_start_batch(state: State, params: Params, context: Context) -> Fields:
    workflow = pick_active(state.workflows, context, params, "workflow_id", "scenario")
    return import_and_send(state, params, context, workflow, params.objects("data"))


def import_and_start_batch_task(state: State, params: Params, context: Context) -> Fields:
    workflow = pick_active(state.workflows, context, params, "workflow_id", "scenario")
    return import_and_send_task(state, params, context, workflow)
