"""Waiting for what another process or thread will do, with a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.e2e.caller import PATIENCE

T = TypeVar("T")

PAUSE = 0.01  # seconds between two looks


def until(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """What `look` gives as soon as it is something; the test fails when it never is."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(PAUSE)
    return found
