"""What was worked out before, kept for the next time: a dictionary with a bound.

Refuses to choose what to forget: when it is full, all goes, and what is needed again comes again. Any order
of use would cost each look-up more than that.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """`most` things at once. For what follows from its key alone, so that forgetting loses only time."""

    __slots__ = ("_kept", "_most", "get")

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, V] = {}
        self.get: Callable[[K], V | None] = self._kept.get

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: K, value: V) -> None:
        if len(self._kept) >= self._most:
            self._kept.clear()
        self._kept[key] = value

    def clear(self) -> None:
        self._kept.clear()
