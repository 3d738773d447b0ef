"""A clock for a gateway in this process that stands still until a test moves it: ages are exact, and no test
is late.

The loop's own timers go on by real time. Deadlines are therefore a little nearer than the settings say, by as
long as the test has run.
"""

import time


class Clock:
    """Begins at the loop's time, and is asked from the gateway's thread."""

    def __init__(self) -> None:
        self._began = _exact(time.monotonic())
        self._wall = _exact(time.time())
        self._passed = 0.0

    def __call__(self) -> float:
        return self._began + self._passed

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._wall + self._passed

    def at(self, seconds: float) -> None:
        """It is so many seconds after the beginning."""
        self._passed = seconds


def _exact(seconds: float) -> float:
    """To a 1024th, down, so that sums and differences with a test's seconds are exact."""
    return int(seconds * 1024) / 1024
