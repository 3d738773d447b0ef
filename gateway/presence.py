"""Whether the caller of one call is still there, told at the moment when it leaves.

What is owed is counted call by call: a caller that left has to be counted before its retry arrives, or both
would be owed an answer. So the connection says it (`protocol`): asking at the end would come too late, and a
task of its own for each caller, waiting for it, would cost too much.
"""

from collections.abc import Callable


class Presence:
    """One caller. It leaves once at most."""

    __slots__ = ("_on_leave", "is_gone")

    def __init__(self) -> None:
        self.is_gone = False
        self._on_leave: Callable[[], None] | None = None

    def __repr__(self) -> str:
        return f"<Presence {'gone' if self.is_gone else 'here'}>"

    def leave(self) -> None:
        """The connection is lost."""
        self.is_gone = True
        if self._on_leave is not None:
            self._on_leave()

    def watch(self, on_leave: Callable[[], None]) -> None:
        """Have `on_leave` called when the caller leaves; now, when it has left already."""
        self._on_leave = on_leave
        if self.is_gone:
            on_leave()

    def unwatch(self) -> None:
        self._on_leave = None
