"""How far a long run has come: in a terminal one line that moves on, with the time that is left; elsewhere a
line for each step. Refuses to know what the steps are.
"""

from collections.abc import Callable
from typing import TextIO

BAR = 24


class Progress:
    """Told of the beginning of each of `steps` steps. `now` is seconds of a clock that does not go back."""

    def __init__(
        self, steps: int, out: TextIO, now: Callable[[], float], width: Callable[[], int] = lambda: 80
    ) -> None:
        self._steps = steps
        self._out = out
        self._now = now
        self._width = width
        self._attended = out.isatty()
        self._begun = 0
        self._started = now()

    def __call__(self, step: str) -> None:
        done, self._begun = self._begun, self._begun + 1
        if not self._attended:
            print(f"[{self._begun}/{self._steps}] {step}", file=self._out, flush=True)
            return
        filled = BAR * done // self._steps
        line = f"{'█' * filled}{'░' * (BAR - filled)} {done}/{self._steps}{self._left(done)}  {step}"
        self._show(line[: self._width() - 1])

    def end(self) -> None:
        """Take the line away: what is said next begins on a clean one."""
        if self._attended:
            self._show("")

    def _left(self, done: int) -> str:
        if not done:
            return ""
        seconds = (self._now() - self._started) / done * (self._steps - done)
        return f", {seconds / 60:.0f} min left" if seconds >= 90 else f", {seconds:.0f} s left"

    def _show(self, line: str) -> None:
        print(f"\r\x1b[K{line}", end="", file=self._out, flush=True)
