"""campaigns/* and scampaigns/*: broadcasts, regular, trigger and super campaigns."""

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.context import Context
from gateway.sandbox.families.launches import audience, database_of, pick, pick_active, recipients, send
from gateway.sandbox.families.matching import find_one
from gateway.sandbox.families.paging import list_items
from gateway.sandbox.families.profiles import each, import_profile, item_params
from gateway.sandbox.families.tasks import start as start_task
from gateway.sandbox.records import Launchable, Profile
from gateway.sandbox.state import Shelf, State
from gateway.sandbox.values import Fields, Params

_CONTENT = ("content", "send_channel", "resource_id", "subid", "limit", "policy_id", "start_schedule")
_STATES = {(False, False): "stopped", (True, False): "running", (False, True): "completed"}


def list_all(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.campaigns, params, context, params.pick(("type", "is_active")))


def list_regulars(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.campaigns, params, context, {"type": "regular"})


def list_supers(state: State, params: Params, context: Context) -> Fields:
    return list_items(state.campaigns, params, context, {"type": "super"})


def get(state: State, params: Params, context: Context) -> Fields:
    return {"data": pick(state.campaigns, context, params, "id").public()}


def get_regular(state: State, params: Params, context: Context) -> Fields:
    return {"data": pick(state.campaigns, context, params, "id", "regular").public()}


def get_trigger(state: State, params: Params, context: Context) -> Fields:
    return {"data": pick(state.campaigns, context, params, "id", "trigger").public()}


def get_status(state: State, params: Params, context: Context) -> Fields:
    campaign = pick(state.campaigns, context, params, "id")
    status = _STATES[campaign.is_active, campaign.is_completed]
    shown: Fields = {"is_active": campaign.is_active, "is_completed": campaign.is_completed, "status": status}
    return {"data": shown}


def activate(state: State, params: Params, context: Context) -> Fields:
    campaign = pick(state.campaigns, context, params, "id")
    if params.flag("run_now"):
        database, profiles = audience(state, params, context, campaign)
        send(state, context, campaign, database, profiles)
    campaign.is_active, campaign.is_completed = True, False
    return {"data": None}


def deactivate(state: State, params: Params, context: Context) -> Fields:
    pick(state.campaigns, context, params, "id").is_active = False
    return {"data": None}


def activate_super(state: State, params: Params, context: Context) -> Fields:
    campaign = pick(state.campaigns, context, params, "id", "super")
    campaign.content |= params.pick(("activate_date", "deactivate_date", "completed_date"))
    campaign.is_active, campaign.is_completed = True, False
    return {"data": None}


def complete_super(state: State, params: Params, context: Context) -> Fields:
    campaign = pick(state.campaigns, context, params, "id", "super")
    campaign.is_active, campaign.is_completed = False, True
    return {"data": None}


# --- broadcasts and regular campaigns ----------------------------------------------------------------------


def add_broadcast(state: State, params: Params, context: Context) -> Fields:
    return _add(state, params, "broadcast", _target(params))


def add_regular(state: State, params: Params, context: Context) -> Fields:
    return _add(state, params, "regular", _target(params))


def _target(params: Params) -> Fields:
    return {"data_type": params.text("data_type"), "data_id": params.integer("data_id")}


def _add(state: State, params: Params, kind: str, target: Fields) -> Fields:
    params.objects("content")
    params.text("send_channel")
    campaign = Launchable(
        id=0,
        name=params.text("name"),
        type=kind,
        is_active=params.flag("is_active"),
        content={**params.pick(_CONTENT), **target},
    )
    campaign.id = state.campaigns.next_id()
    state.campaigns.put(campaign)
    return {"data": {"saved_id": campaign.id}}


def update_broadcast(state: State, params: Params, context: Context) -> Fields:
    campaign = pick(state.campaigns, context, params, "id", "broadcast")
    is_active = params.flag("is_active") if "is_active" in params else campaign.is_active
    campaign.name = params.text("name", campaign.name)
    campaign.is_active = is_active
    campaign.content |= params.pick((*_CONTENT, "data_type", "data_id"))
    return {"data": {"saved_id": campaign.id}}


def start_broadcast(state: State, params: Params, context: Context) -> Fields:
    return _start(state.campaigns, state, params, context, "broadcast")


def start_regular(state: State, params: Params, context: Context) -> Fields:
    return _start(state.campaigns, state, params, context, "regular")


def _start(shelf: Shelf[Launchable], state: State, params: Params, context: Context, kind: str) -> Fields:
    campaign = pick_active(shelf, context, params, "id", kind)
    database, profiles = audience(state, params, context, campaign)
    send(state, context, campaign, database, profiles)
    return {"data": None}


# --- triggers ----------------------------------------------------------------------------------------------


def add_trigger(state: State, params: Params, context: Context) -> Fields:
    """The pages name no database; it is `db_id` here if sent, else the first one of the resource."""
    database_id = params.optional_integer("db_id")
    if database_id is None:
        ids = context.pick(state.resources, params.integer("resource_id")).database_ids
        database_id = min(ids, default=0)
    target: Fields = {"db_id": context.pick(state.databases, database_id).id}
    return _add(state, params, "trigger", {**target, "trigger_type": params.text("trigger_type")})


def clone_trigger(state: State, params: Params, context: Context) -> Fields:
    original = pick(state.campaigns, context, params, "id", "trigger")
    copy = Launchable(
        id=state.campaigns.next_id(),
        name=params.text("name", f"{original.name} (copy)"),
        group=original.group,
        type="trigger",
        content=dict(original.content),
    )
    state.campaigns.put(copy)
    return {"data": {"saved_id": copy.id}}


def start_trigger(state: State, params: Params, context: Context) -> Fields:
    campaign = pick_active(state.campaigns, context, params, "id", "trigger")
    profiles = recipients(state, params, context, campaign)
    send(state, context, campaign, database_of(state, context, campaign), profiles)
    return {"profile_id": profiles[0].id} if "custom_request" not in params else {"count": len(profiles)}


def start_triggers(state: State, params: Params, context: Context) -> Fields:
    """A message for each item. The result is the ids of the profiles that got it, without codes (platform
    documentation, "Bulk trigger launch"); the outer code stays 0 while items fail.
    """
    campaign = pick_active(state.campaigns, context, params, "trigger_id", "trigger")
    items = _start_each(state, params, context, campaign, params.objects("data"))["result"]
    assert isinstance(items, list)
    sent_to = [item["profile_id"] for item in items if isinstance(item, dict) and "profile_id" in item]
    return {"result": sent_to}


def start_triggers_task(state: State, params: Params, context: Context) -> Fields:
    campaign = pick_active(state.campaigns, context, params, "id", "trigger")
    items = params.objects("data")

    def work() -> Fields:
        return in_numbers(_start_each(state, params, context, campaign, items))

    return start_task(state, context, "trigger_batch", work, campaign.id)


def _start_each(
    state: State, params: Params, context: Context, campaign: Launchable, items: list[Fields]
) -> Fields:
    database = database_of(state, context, campaign)

    def one(item: Fields) -> Profile:
        profile = find_one(database, item_params(params, item))
        send(state, context, campaign, database, [profile])
        return profile

    return each(items, one)


def import_and_start_trigger(state: State, params: Params, context: Context) -> Fields:
    campaign = pick_active(state.campaigns, context, params, "trigger_id", "trigger")
    database = database_of(state, context, campaign)
    if params.integer("db_id", database.id) != database.id:
        raise ApiError(Code.VALIDATION, f"trigger {campaign.id} is of another database")
    profile = import_profile(state, params, context, database)
    send(state, context, campaign, database, [profile])
    return {"profile_id": profile.id}


def import_and_start_triggers_task(state: State, params: Params, context: Context) -> Fields:
    campaign = pick_active(state.campaigns, context, params, "trigger_id", "trigger")
    return import_and_send_task(state, params, context, campaign)


# --- what scenarios do alike -------------------------------------------------------------------------------


def import_and_send(
    state: State, params: Params, context: Context, launch: Launchable, items: list[Fields]
) -> Fields:
    """Creates or updates a profile for each item, then launches for it."""
    database = database_of(state, context, launch)

    def one(item: Fields) -> Profile:
        profile = import_profile(state, item_params(params, item), context, database)
        send(state, context, launch, database, [profile])
        return profile

    return each(items, one)


def import_and_send_task(state: State, params: Params, context: Context, launch: Launchable) -> Fields:
    items = params.objects("data")

    def work() -> Fields:
        return in_numbers(import_and_send(state, params, context, launch, items))

    return start_task(state, context, "import_and_start", work, launch.id)


def in_numbers(result: Fields) -> Fields:
    """A batch's result as a task tells it: how many, and the errors."""
    items = result["result"]
    assert isinstance(items, list)
    errors = [item for item in items if isinstance(item, dict) and item["error"] != Code.OK]
    return {"total": len(items), "errors": [*errors]}
