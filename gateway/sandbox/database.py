"""A database: profiles, the types of their fields, and the limits on them."""

from dataclasses import dataclass, field

from gateway.sandbox.profilebook import ProfileBook
from gateway.sandbox.records import FieldType, Item
from gateway.sandbox.values import Fields


@dataclass(kw_only=True)
class Database(Item):
    """`quota` is the tariff's limit on profiles; `unique` names the fields that no two profiles share."""

    description: str = ""
    suppress_id: int | None = None
    types: dict[str, FieldType] = field(default_factory=dict)
    unique: tuple[str, ...] = ()
    quota: int | None = None
    profiles: ProfileBook = field(default_factory=ProfileBook)

    def public(self) -> Fields:
        return {**super().public(), "description": self.description, "suppress_id": self.suppress_id}
