"""How long one call may still wait for a store elsewhere: `redis.timeout`, all of its questions together.

It goes with the context: a call is a task, and what it starts on its behalf inherits its patience.
"""

from contextvars import ContextVar


class Patience:
    """Seconds that are left."""

    __slots__ = ("left",)

    def __init__(self, left: float) -> None:
        self.left = left


_PATIENCE: ContextVar[Patience | None] = ContextVar("patience with a store", default=None)


def patience_of_call(timeout: float) -> Patience:
    """That of the running call, which begins with its first question."""
    patience = _PATIENCE.get()
    if patience is None:
        patience = Patience(timeout)
        _PATIENCE.set(patience)
    return patience


def start_anew() -> None:
    """For work in the background that a call has set going: nobody waits for it."""
    if _PATIENCE.get() is not None:
        _PATIENCE.set(None)
