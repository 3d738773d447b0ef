"""gateway.terminal: who sees colours, and who does not."""

import io
import os
import pty
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gateway.terminal import NOBODY, Paint, Terminal


@pytest.fixture
def screen() -> Iterator[io.FileIO]:
    """A stream that is a terminal."""
    ours, theirs = pty.openpty()
    with io.FileIO(theirs, "w") as stream:
        yield stream
    os.close(ours)


def test_a_terminal_gets_colours(screen: io.FileIO) -> None:
    assert Terminal.of(screen, {"TERM": "xterm"}).paint("x", Paint.RED) == "\x1b[31mx\x1b[0m"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_gets_none_but_the_short_time(
    screen: io.FileIO, environ: dict[str, str]
) -> None:
    terminal = Terminal.of(screen, environ)
    assert terminal.paint("x", Paint.RED) == "x"
    assert len(terminal.clock(datetime(2025, 11, 23, tzinfo=UTC))) == len("20:00:00.250")


def test_an_empty_no_color_means_nothing(screen: io.FileIO) -> None:
    assert Terminal.of(screen, {"NO_COLOR": ""}).colours


def test_a_file_gets_no_colours_and_the_whole_time_in_utc() -> None:
    assert Terminal.of(io.BytesIO(), {}) == NOBODY
    assert NOBODY.clock(datetime(2025, 11, 23, 20, 0, 0, 250000, tzinfo=UTC)) == "2025-11-23T20:00:00.250Z"


def test_a_closed_stream_has_no_reader() -> None:
    stream = io.BytesIO()
    stream.close()
    assert Terminal.of(stream, {}) == NOBODY


def test_nothing_is_not_painted() -> None:
    assert Terminal(attended=True, colours=True).paint("", Paint.RED) == ""
