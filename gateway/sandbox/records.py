"""The platform's objects as plain records, which the handlers change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.tokens import CENTRAL_GROUP
from gateway.sandbox.values import Fields


class FieldType(StrEnum):
    """The type of a database field, which decides how a value from XML is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    EMAIL = "email"
    LIST = "list"


@dataclass(kw_only=True)
class Item:
    """An object that a token sees or does not, by its group."""

    id: int
    name: str
    group: int = CENTRAL_GROUP
    ui_tags: list[str] = field(default_factory=list)

    def public(self) -> Fields:
        return {"id": self.id, "name": self.name, "group_id": self.group, "ui_tags": list(self.ui_tags)}


@dataclass(kw_only=True)
class Subscription:
    """`address` is what the channel sends to: an e-mail address, a phone, or provider and subscription_id."""

    resource_id: int
    channel: str
    address: str
    status: str = "subscribed"
    priority: int = 0
    deleted: bool = False
    details: Fields = field(default_factory=dict)  # custom_fields, cats, provider, subscription_id, cc_data

    def public(self) -> Fields:
        shown: Fields = {"resource_id": self.resource_id, "channel": self.channel, "address": self.address}
        return {**shown, "status": self.status, "priority": self.priority, **self.details}


@dataclass(kw_only=True)
class Profile:
    """`is_broken` is a damaged record: whatever needs it answers with the internal error 500."""

    id: str
    fields: Fields
    subscriptions: list[Subscription] = field(default_factory=list)
    is_broken: bool = False

    def live_subscriptions(self) -> list[Subscription]:
        return [subscription for subscription in self.subscriptions if not subscription.deleted]

    def public(self) -> Fields:
        if self.is_broken:
            raise ApiError(Code.INTERNAL, f"the record of profile {self.id} is damaged")
        return {
            "_id": self.id,
            **self.fields,
            "subscriptions": [subscription.public() for subscription in self.live_subscriptions()],
        }


@dataclass(kw_only=True)
class Resource(Item):
    database_ids: set[int] = field(default_factory=set)
    types: dict[str, FieldType] = field(default_factory=dict)  # of subscription fields

    def public(self) -> Fields:
        return {**super().public(), "list_ids": [*sorted(self.database_ids)]}


@dataclass(kw_only=True)
class Segment(Item):
    """`profiles` are (database id, profile id); only a static segment has them. `rules` are kept as sent."""

    is_static: bool = False
    database_id: int | None = None
    rules: list[Fields] = field(default_factory=list)
    profiles: set[tuple[int, str]] = field(default_factory=set)

    def public(self) -> Fields:
        shown = {**super().public(), "is_static": self.is_static, "list_id": self.database_id}
        return {**shown, "segment": list(self.rules)}


@dataclass(kw_only=True)
class SuppressionList(Item):
    is_global: bool = False
    description: str = ""
    emails: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)

    def public(self) -> Fields:
        return {**super().public(), "is_global": self.is_global, "description": self.description}


@dataclass(kw_only=True)
class Document(Item):
    """An object whose content the sandbox keeps as sent: templates, senders, campaigns, scenarios."""

    content: Fields = field(default_factory=dict)

    def public(self) -> Fields:
        return {**super().public(), **self.content}


@dataclass(kw_only=True)
class Launchable(Document):
    """A campaign or a scenario. `type`: broadcast, regular, trigger, super, scenario."""

    type: str
    is_active: bool = False
    is_completed: bool = False

    def public(self) -> Fields:
        shown = {**super().public(), "type": self.type}
        return {**shown, "is_active": self.is_active, "is_completed": self.is_completed}


class TransactionState(StrEnum):
    COMMITTED = "committed"
    TEMPORARY = "temporary"
    CANCELLED = "cancelled"


@dataclass(kw_only=True)
class Transaction:
    """Points credited (positive) or spent (negative)."""

    id: str
    eid: str
    profile_id: str
    amount: Decimal
    created: float
    active_from: float
    expires: float | None
    state: TransactionState


@dataclass(kw_only=True)
class PromoCode:
    """`owner` is (database id, profile id)."""

    code: str
    owner: tuple[int, str] | None = None
    is_activated: bool = False
    expires: float | None = None


@dataclass(kw_only=True)
class LoyaltyProgram(Item):
    database_id: int
    members: set[str] = field(default_factory=set)
    transactions: list[Transaction] = field(default_factory=list)
    codes: dict[str, PromoCode] = field(default_factory=dict)
    code_limit: int = 1000


@dataclass(kw_only=True)
class Task:
    """A background task: `work` runs when it is due, so that its effects come after its answer."""

    id: str
    type: str
    started: float
    due: float
    work: Callable[[], Fields]
    source_id: int | None = None
    result: Fields | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a profile, for the action history."""

    database_id: int
    profile_id: str
    type: str
    at: float
    details: Fields


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a launch sent; there is one for each time the sandbox really sent it."""

    launch_id: int
    type: str
    profile_id: str
    at: float
