"""gateway.annex: a process beside this one, with bounds."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.annex import INHERITED, MEMORY, Annex, TooMuchWorkError, half_of
from gateway.codec import jsonbody
from gateway.codec.body import BodyLimits, MalformedBodyError


def pid(_: bytes) -> int:
    return os.getpid()


def echo(body: bytes, *more: object) -> tuple[bytes, tuple[object, ...]]:
    return body, more


def end(_: bytes) -> None:
    os._exit(1)


def interrupt(_: bytes, which: signal.Signals) -> bool:
    os.kill(os.getpid(), which)
    return True


def never(_: bytes) -> None:
    signal.pause()


def take(_: bytes, size: int) -> int:
    return len(bytes(size))


@pytest.fixture
def annex() -> Iterator[Annex]:
    made = Annex()
    yield made
    made.close()


def test_work_is_done_in_one_other_process(annex: Annex) -> None:
    first = annex.do(pid, b"")
    assert first != os.getpid()
    assert annex.do(pid, b"") == first


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
def test_a_body_of_any_size_comes_over_whole(annex: Annex, size: int) -> None:
    body = os.urandom(size)
    assert annex.do(echo, body, 1, "two") == (body, (1, "two"))


def test_a_refusal_of_the_work_comes_back(annex: Annex) -> None:
    with pytest.raises(MalformedBodyError, match="not a JSON object"):
        annex.do(jsonbody.decode, b"[]", BodyLimits(64, 100))


def test_a_process_that_ended_is_replaced(annex: Annex) -> None:
    first = annex.do(pid, b"")
    with pytest.raises(TooMuchWorkError, match="was ended"):
        annex.do(end, b"")
    second = annex.do(pid, b"")
    assert second != first


def test_one_that_was_killed_while_it_had_nothing_to_do_is_replaced_unnoticed(annex: Annex) -> None:
    first = annex.do(pid, b"")
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert annex.do(pid, b"") != first


def test_work_that_does_not_end_is_ended() -> None:
    annex = Annex(patience=0.2)
    try:
        with pytest.raises(TooMuchWorkError, match=r"^it took longer than 0\.2 seconds$"):
            annex.do(never, b"")
    finally:
        annex.close()


def test_work_that_takes_too_much_memory_is_refused_and_the_process_goes_on() -> None:
    annex = Annex(memory=1024**3)
    try:
        first = annex.do(pid, b"")
        with pytest.raises(TooMuchWorkError, match="memory"):
            annex.do(take, b"", 1024**3)
        assert annex.do(pid, b"") == first
    finally:
        annex.close()


@pytest.mark.parametrize(
    ("said", "bound"),
    [("536870912\n", 2**28), ("max\n", MEMORY), (None, MEMORY), ("17179869184\n", 2**33)],
)
def test_it_takes_half_of_what_its_container_may_have(tmp_path: Path, said: str | None, bound: int) -> None:
    container = tmp_path / "memory.max"
    if said is not None:
        container.write_text(said)
    assert half_of(container) == bound


def test_in_a_small_container_large_work_is_refused_and_does_not_end_it_all(tmp_path: Path) -> None:
    container = tmp_path / "memory.max"
    container.write_text(str(2 * 1024**3))
    annex = Annex(container=container)
    try:
        with pytest.raises(TooMuchWorkError, match="memory"):
            annex.do(take, b"", 1024**3)
    finally:
        annex.close()


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_what_tells_the_gateway_to_stop_does_not_end_it(annex: Annex, which: signal.Signals) -> None:
    assert annex.do(interrupt, b"", which)


def environment(_: bytes) -> dict[str, str]:
    return dict(os.environ)


def test_it_has_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_TOKEN", "s3cret")
    annex = Annex()
    try:
        assert set(annex.do(environment, b"")) <= {*INHERITED, "PYTHONPATH", "LC_CTYPE"}
    finally:
        annex.close()


def dumpable(_: bytes) -> int:
    return int(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE, linux/prctl.h


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows undumpable processes")
def test_no_other_process_of_the_user_reads_its_memory(annex: Annex) -> None:
    assert annex.do(dumpable, b"") == 0


def test_closing_ends_the_process(annex: Annex) -> None:
    process = annex.do(pid, b"")
    annex.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_after_closing_nothing_is_started_again() -> None:
    """A body may have been on its way to it just then."""
    annex = Annex()
    annex.close()
    with pytest.raises(TooMuchWorkError, match="stopping"):
        annex.do(pid, b"")
    assert annex._running is None
