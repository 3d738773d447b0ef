"""All that the stand-in remembers, in memory. A handler never awaits, so each call changes it in one step."""

import random
from collections.abc import Iterator
from typing import Generic, TypeVar

from gateway.sandbox.codes import ApiError
from gateway.sandbox.database import Database
from gateway.sandbox.records import (
    Document,
    Event,
    Item,
    Launchable,
    LoyaltyProgram,
    Message,
    Resource,
    Segment,
    SuppressionList,
    Task,
)
from gateway.sandbox.values import Fields

AnyItem = TypeVar("AnyItem", bound=Item)


class Shelf(Generic[AnyItem]):
    """The objects of one kind by id. Ids are never given twice."""

    def __init__(self) -> None:
        self._items: dict[int, AnyItem] = {}
        self._last = 0

    def __iter__(self) -> Iterator[AnyItem]:
        return iter(sorted(self._items.values(), key=lambda item: item.id))

    def __getitem__(self, item_id: int) -> AnyItem:
        return self._items[item_id]

    def get(self, item_id: int) -> AnyItem | None:
        return self._items.get(item_id)

    def next_id(self) -> int:
        self._last += 1
        return self._last

    def put(self, item: AnyItem) -> None:
        self._items[item.id] = item
        self._last = max(self._last, item.id)

    def remove(self, item_id: int) -> None:
        del self._items[item_id]


class State:
    """The whole of it; made by `seed.sample_state`, thrown away by a reset."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.databases: Shelf[Database] = Shelf()
        self.resources: Shelf[Resource] = Shelf()
        self.segments: Shelf[Segment] = Shelf()
        self.suppresses: Shelf[SuppressionList] = Shelf()
        self.templates: Shelf[Document] = Shelf()
        self.campaigns: Shelf[Launchable] = Shelf()
        self.workflows: Shelf[Launchable] = Shelf()
        self.senders: Shelf[Document] = Shelf()
        self.vsenders: Shelf[Document] = Shelf()
        self.programs: Shelf[LoyaltyProgram] = Shelf()
        self.tasks: dict[str, Task] = {}
        self.files: dict[str, bytes] = {}  # finished exports by name
        self.uploads: dict[str, Fields] = {}
        self.events: list[Event] = []
        self.outbox: list[Message] = []
        self.pixels: set[int] = set()
        self.relation_types: set[int] = set()
        self.relations: dict[tuple[int, str, str], dict[str, float]] = {}

    def hex_id(self, digits: int) -> str:
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        digits = self.hex_id(32)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def settle(self, now: float) -> None:
        """Finishes every task that is due."""
        for task in self.tasks.values():
            if task.result is None and task.due <= now:
                try:
                    task.result = task.work()
                except ApiError as error:
                    # It is the task's own, and not that of the call which happens to come next.
                    task.result = {"errors": [{"error": error.code.value, "error_text": error.text}]}
