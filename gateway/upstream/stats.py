"""How a transport's connections stand at one moment, as one frozen value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStats:
    """`active` counts connections in use or being opened, `replaced` those found dead at their next use.

    `opened` and `replaced` grow for ever; a transport that does not count them leaves them 0.
    """

    active: int = 0
    idle: int = 0
    waiting: int = 0
    opened: int = 0
    replaced: int = 0

    def __add__(self, other: "PoolStats") -> "PoolStats":
        return PoolStats(
            self.active + other.active,
            self.idle + other.idle,
            self.waiting + other.waiting,
            self.opened + other.opened,
            self.replaced + other.replaced,
        )

    def by_state(self) -> dict[str, int]:
        """The open ones, by the metric's label `state`."""
        return {"active": self.active, "idle": self.idle}
