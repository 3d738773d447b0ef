"""bench.progress: how far a long run has come."""

import io

from bench.progress import Progress


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_file_gets_a_line_for_each_step() -> None:
    out = io.StringIO()
    progress = Progress(2, out, Time())
    progress("one")
    progress("two")
    progress.end()
    assert out.getvalue() == "[1/2] one\n[2/2] two\n"


def test_a_terminal_gets_one_line_that_moves_on_and_says_what_is_left() -> None:
    out, time = Screen(), Time()
    progress = Progress(4, out, time, lambda: 60)
    for number in range(3):
        progress(f"step {number}")
        time.now += 10
    progress.end()
    first, second, third, end = out.getvalue().split("\r\x1b[K")[1:]
    assert first == "░" * 24 + " 0/4  step 0"
    assert second == "█" * 6 + "░" * 18 + " 1/4, 30 s left  step 1"
    assert third == "█" * 12 + "░" * 12 + " 2/4, 20 s left  step 2"
    assert end == ""


def test_a_line_never_wraps() -> None:
    out = Screen()
    Progress(4, out, Time(), lambda: 40)("x" * 100)
    assert len(out.getvalue().removeprefix("\r\x1b[K")) == 39
