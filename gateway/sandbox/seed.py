"""The sample data. The same seed gives the same ids and people; the reference page lists what is in it."""

import random

from gateway.sandbox.database import Database
from gateway.sandbox.records import (
    Document,
    FieldType,
    Launchable,
    LoyaltyProgram,
    Profile,
    Resource,
    Segment,
    Subscription,
    SuppressionList,
)
from gateway.sandbox.state import State
from gateway.sandbox.tokens import CENTRAL_GROUP, PARTNER_GROUP
from gateway.sandbox.values import Fields

_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fatima", "Grace", "Hiroshi", "Inés", "Jim")
_LAST = ("Adams", "Brown", "Clarke", "Dvořák", "Evans", "Fischer", "García", "Hughes", "Ivanova", "Jones")
_CUSTOMERS = 50
_TYPES = {
    "email": FieldType.EMAIL,
    "phones": FieldType.LIST,
    "_fname": FieldType.TEXT,
    "_lname": FieldType.TEXT,
    "_status": FieldType.INTEGER,
    "_regcountry": FieldType.TEXT,
    "customer_id": FieldType.TEXT,
    "bonus": FieldType.NUMBER,
    "visits": FieldType.INTEGER,
    "is_vip": FieldType.BOOLEAN,
    "tags": FieldType.LIST,
}

# What each database is there for is the way to one code: see docs/reference/sandbox.md.
CUSTOMERS, UNIQUE, TRIAL, ELSEWHERE, PARTNER = 1, 2, 3, 4, 5
TWIN_EMAIL = "twin@example.com"
BROKEN_EMAIL = "broken@example.com"


def sample_state(seed: int) -> State:
    """A new state with the sample data."""
    # Sample data, not secrets.
    state = State(random.Random(seed))  # noqa: S311
    _add_databases(state)
    _add_people(state)
    _add_resources(state)
    _add_segments(state)
    _add_launchables(state)
    _add_others(state)
    return state


def _add_resources(state: State) -> None:
    types = {"frequency": FieldType.TEXT, "topics": FieldType.LIST}
    for resource_id, name, group, database_ids in (
        (1, "Shop", CENTRAL_GROUP, {CUSTOMERS, UNIQUE, TRIAL}),
        (2, "Magazine", CENTRAL_GROUP, {CUSTOMERS}),
        (3, "Partner site", PARTNER_GROUP, {PARTNER}),
    ):
        resource = Resource(id=resource_id, name=name, group=group, database_ids=database_ids, types=types)
        state.resources.put(resource)


def _add_segments(state: State) -> None:
    some = list(state.databases[CUSTOMERS].profiles)[:5]
    regulars = Segment(id=1, name="Regulars", is_static=True, database_id=CUSTOMERS)
    regulars.profiles = {(CUSTOMERS, profile_id) for profile_id in some}
    often = Segment(id=2, name="Often here", database_id=CUSTOMERS)
    often.rules = [{"field": "visits", "operator": "gt", "value": 3}]
    partners = Segment(id=3, name="Partners", group=PARTNER_GROUP, is_static=True, database_id=PARTNER)
    for segment in (regulars, often, partners):
        state.segments.put(segment)


def _add_others(state: State) -> None:
    state.suppresses.put(SuppressionList(id=1, name="Global", is_global=True, emails={"stop@example.com"}))
    state.templates.put(Document(id=1, name="Welcome", content={"channels": [{"channel": "email"}]}))
    state.senders.put(Document(id=1, name="Main sender", content={"channel": "email"}))
    state.vsenders.put(Document(id=1, name="Shop sender", content={"sender_id": 1}))
    state.programs.put(LoyaltyProgram(id=1, name="Points", database_id=CUSTOMERS, code_limit=100))
    state.pixels.add(1)
    state.relation_types.add(1)


def _add_databases(state: State) -> None:
    types = dict(_TYPES)
    state.databases.put(
        Database(id=CUSTOMERS, name="Customers", description="Sample people", suppress_id=1, types=types)
    )
    state.databases.put(Database(id=UNIQUE, name="Members", types=types, unique=("email", "customer_id")))
    state.databases.put(Database(id=TRIAL, name="Trial", types=types, quota=2))
    state.databases.put(Database(id=ELSEWHERE, name="In no resource", types=types))
    state.databases.put(Database(id=PARTNER, name="Partner", types=types, group=PARTNER_GROUP))


def _add_people(state: State) -> None:
    for number in range(1, _CUSTOMERS + 1):
        _add_person(state, CUSTOMERS, f"customer{number}@example.com", number)
    for number in (1, 2):
        _add_person(state, CUSTOMERS, TWIN_EMAIL, 1000 + number)
        _add_person(state, UNIQUE, f"member{number}@example.com", number)
        _add_person(state, TRIAL, f"trial{number}@example.com", number)
        _add_person(state, PARTNER, f"partner{number}@example.com", number)
    _add_person(state, CUSTOMERS, BROKEN_EMAIL, 1003).is_broken = True


def _add_person(state: State, database_id: int, email: str, number: int) -> Profile:
    rng = state.rng
    fields: Fields = {
        "email": email,
        "phones": [f"+7900{database_id:03}{number:04}"],
        "_fname": rng.choice(_FIRST),
        "_lname": rng.choice(_LAST),
        "_status": 0,
        "customer_id": f"{number:06}",
        "visits": rng.randrange(20),
    }
    profile = Profile(id=state.hex_id(24), fields=fields)
    if database_id in (CUSTOMERS, UNIQUE):
        profile.subscriptions.append(Subscription(resource_id=1, channel="email", address=email))
    state.databases[database_id].profiles[profile.id] = profile
    return profile


def _add_launchables(state: State) -> None:
    for campaign_id, kind, active in (
        (1, "trigger", True),
        (2, "trigger", False),
        (3, "broadcast", True),
        (4, "regular", True),
        (5, "super", False),
    ):
        target: Fields = {"data_type": "segment", "data_id": 1, "db_id": CUSTOMERS, "send_channel": "email"}
        campaign = Launchable(
            id=campaign_id, name=f"Sample {kind}", type=kind, is_active=active, content=target
        )
        state.campaigns.put(campaign)
    for workflow_id, name, active in ((1, "Sample scenario", True), (2, "Sleeping scenario", False)):
        content: Fields = {"db_id": CUSTOMERS}
        scenario = Launchable(id=workflow_id, name=name, type="scenario", is_active=active, content=content)
        state.workflows.put(scenario)
