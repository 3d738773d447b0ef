"""The sink masks everything, waits for nobody, and says what it could not write."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.observe.sink import LogSink


def as_it_is(data: bytes) -> bytes:
    return data


def mask_token(data: bytes) -> bytes:
    return data.replace(b"s3cret", b"***")


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.FileIO]]:
    """A pipe: the end to read from, and the stream to write to."""
    readable, writable = os.pipe()
    stream = io.FileIO(writable, "w")
    yield readable, stream
    stream.close()
    os.close(readable)


def read_to_end(readable: int) -> bytes:
    with io.FileIO(readable, closefd=False) as stream:
        return stream.readall() or b""


def test_lines_are_written_whole_and_in_order() -> None:
    stream = io.BytesIO()
    sink = LogSink(stream, as_it_is)

    sink.write(b"one\n")
    sink.write(b"two\n")
    sink.flush()

    assert stream.getvalue() == b"one\ntwo\n"


def test_a_buffered_stream_keeps_nothing_back(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as stream:
        sink = LogSink(stream, as_it_is)
        sink.write(b"one\n")
        sink.flush()

        assert (tmp_path / "log").read_bytes() == b"one\n"


def test_nothing_leaves_unmasked() -> None:
    stream = io.BytesIO()
    sink = LogSink(stream, mask_token)

    sink.write(b"token s3cret\n")
    sink.flush()

    assert stream.getvalue() == b"token ***\n"


def test_a_started_sink_writes_by_itself(pipe: tuple[int, io.FileIO]) -> None:
    readable, stream = pipe
    sink = LogSink(stream, as_it_is, delay=0.001)
    sink.start()

    sink.write(b"one\n")

    assert os.read(readable, 100) == b"one\n"  # before it is closed
    sink.close()


def test_closing_writes_the_rest_and_ends_the_thread() -> None:
    stream = io.BytesIO()
    sink = LogSink(stream, as_it_is, delay=3600.0)
    before = threading.active_count()
    sink.start()
    sink.write(b"last\n")

    sink.close()

    assert stream.getvalue() == b"last\n"
    assert threading.active_count() == before


def test_lines_of_many_threads_are_never_mixed() -> None:
    stream = io.BytesIO()
    sink = LogSink(stream, as_it_is, delay=0.0)
    sink.start()

    def speak(name: int) -> None:
        for number in range(200):
            sink.write(f"{name} {number} {'x' * 50}\n".encode())

    speakers = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join()
    sink.close()

    lines = stream.getvalue().decode().splitlines()
    assert sorted(lines) == sorted(
        f"{name} {number} {'x' * 50}" for name in range(4) for number in range(200)
    )


def test_a_reader_that_stops_does_not_stop_the_writer(
    pipe: tuple[int, io.FileIO], caplog: pytest.LogCaptureFixture
) -> None:
    readable, stream = pipe
    line = b"x" * 1023 + b"\n"
    sink = LogSink(stream, as_it_is, delay=0.0, capacity=256 * 1024)
    sink.start()

    # More than the pipe and the sink can hold: this returns only since `write` never waits.
    for _ in range(2048):
        sink.write(line)
    with ThreadPoolExecutor(1) as pool:
        received = pool.submit(read_to_end, readable)
        sink.close(timeout=60.0)
        stream.close()

    [message] = caplog.messages
    dropped = int(message.split()[0])
    assert message == f"{dropped} log lines were dropped, since they could not be written"
    assert received.result() == line * (2048 - dropped)
    assert 0 < dropped < 2048


def closed_file() -> io.FileIO:
    file = io.FileIO("/dev/null", "w")
    file.close()
    return file


@pytest.mark.parametrize(
    "opened",
    [
        pytest.param(lambda: io.FileIO("/dev/full", "w"), id="disk full"),
        pytest.param(closed_file, id="stream closed"),
    ],
)
def test_a_stream_that_fails_costs_the_lines_and_not_the_writer(
    opened: Callable[[], io.FileIO], caplog: pytest.LogCaptureFixture
) -> None:
    stream = opened()
    sink = LogSink(stream, as_it_is)

    for line in (b"one\n", b"two\n"):
        sink.write(line)
        sink.flush()
    stream.close()

    assert caplog.messages == []  # nobody could read it


class Moody:
    """A stream that takes one byte at a time, has to wait at every second, and may fail."""

    def __init__(self) -> None:
        self.received = b""
        self.failing = False
        self.waiting = False

    def write(self, data: memoryview) -> int | None:
        if self.failing:
            raise OSError("no space left")
        self.waiting = not self.waiting
        if self.waiting:
            return None
        self.received += data[:1]
        return 1

    def flush(self) -> None:
        """It keeps nothing back."""


def test_a_stream_that_takes_little_at_a_time_gets_everything() -> None:
    stream = Moody()
    sink = LogSink(stream, as_it_is)

    sink.write(b"one\n")
    sink.flush()

    assert stream.received == b"one\n"


def test_a_loss_is_told_once_the_stream_works_again(caplog: pytest.LogCaptureFixture) -> None:
    stream = Moody()
    sink = LogSink(stream, as_it_is)
    stream.failing = True
    for line in (b"one\n", b"two\n"):
        sink.write(line)
        sink.flush()

    stream.failing = False
    for line in (b"three\n", b"four\n"):
        sink.write(line)
        sink.flush()

    assert stream.received == b"three\nfour\n"
    assert caplog.messages == ["2 log lines were dropped, since they could not be written"]


def test_a_fault_in_masking_writes_nothing_and_does_not_end_the_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = io.BytesIO()
    masked = threading.Event()

    def faulty(data: bytes) -> bytes:
        if data == b"bad\n":
            masked.set()
            raise RuntimeError("fault")
        return data

    sink = LogSink(stream, faulty, delay=0.001)
    sink.start()
    sink.write(b"bad\n")
    assert masked.wait(10)
    sink.write(b"good\n")
    sink.close()

    assert stream.getvalue() == b"good\n"
    assert caplog.messages == ["log lines could not be written"]
