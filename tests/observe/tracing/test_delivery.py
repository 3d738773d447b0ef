"""What is to be sent goes out in batches beside whoever adds it, and what does not is counted."""

import logging
import threading
from collections.abc import Sequence

import pytest

from gateway.observe.tracing.delivery import Bounds, Delivery, Figures

PATIENCE = 10.0


class Collector:
    """Takes batches, or refuses them while `away`. While `stalled` is set an export waits."""

    def __init__(self, away: bool = False) -> None:
        self.away = away
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.going = threading.Event()
        self.going.set()
        self._changed = threading.Condition()

    def export(self, batch: Sequence[int]) -> str:
        self.entered.set()
        assert self.going.wait(PATIENCE)
        with self._changed:
            self.batches.append(list(batch))
            self._changed.notify_all()
        return "nobody is there" if self.away else ""

    def await_batches(self, count: int) -> list[list[int]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.batches) >= count, PATIENCE)
            return list(self.batches)


def delivery(collector: Collector, **bounds: float) -> Delivery[int]:
    usual = {"queue": 10, "batch": 4, "delay": 3600.0, **bounds}
    made = Delivery(
        collector.export,
        collector.going.set,
        Bounds(int(usual["queue"]), int(usual["batch"]), usual["delay"]),
    )
    made.start()
    return made


def test_a_full_batch_goes_at_once() -> None:
    collector = Collector()
    sending = delivery(collector)
    for number in range(4):
        sending.add(number)
    assert collector.await_batches(1) == [[0, 1, 2, 3]]
    sending.close(PATIENCE)


def test_a_part_of_a_batch_goes_when_its_time_is_over() -> None:
    collector = Collector()
    sending = delivery(collector, delay=0.01)
    sending.add(1)
    assert collector.await_batches(1) == [[1]]
    sending.close(PATIENCE)


def test_the_end_sends_all_that_waits_in_batches() -> None:
    collector = Collector()
    sending = delivery(collector, queue=100)
    for number in range(3):
        sending.add(number)
    sending.close(PATIENCE)
    assert collector.batches == [[0, 1, 2]]
    assert sending.figures() == Figures(sent=3)


def test_what_finds_no_room_is_dropped_and_counted_and_adding_never_waits() -> None:
    collector = Collector()
    collector.going.clear()
    sending = delivery(collector, batch=1, queue=3)
    sending.add(0)
    assert collector.entered.wait(PATIENCE)
    for number in range(1, 6):
        sending.add(number)
    assert sending.figures() == Figures(dropped=2)
    collector.going.set()
    sending.close(PATIENCE)
    assert collector.batches == [[0], [1], [2], [3]]
    assert sending.figures() == Figures(sent=4, dropped=2)


def test_a_collector_that_is_away_is_named_once_and_once_more_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    collector = Collector(away=True)
    sending = delivery(collector, batch=1, delay=0.01)
    sending.add(1)
    collector.await_batches(1)
    sending.add(2)
    collector.await_batches(2)
    collector.away = False
    sending.add(3)
    collector.await_batches(3)
    sending.close(PATIENCE)
    assert [record.message for record in caplog.records] == [
        "spans cannot be delivered to the collector, and calls go on without: nobody is there",
        "spans are delivered again; 2 were lost",
    ]
    assert sending.figures() == Figures(sent=1, failed=2)


def test_what_cannot_be_encoded_costs_its_batch_and_not_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    taken = threading.Event()

    def export(batch: Sequence[int]) -> str:
        if batch == [0]:
            raise ValueError("such a span cannot be")
        taken.set()
        return ""

    sending = Delivery(export, lambda: None, Bounds(10, 1, 0.01))
    sending.start()
    sending.add(0)
    sending.add(1)
    assert taken.wait(PATIENCE)
    sending.close(PATIENCE)
    assert sending.figures() == Figures(sent=1, failed=1)
    assert "spans could not be sent" in caplog.text


def test_an_end_that_may_not_wait_interrupts_and_says_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    stuck, interrupted = threading.Event(), threading.Event()

    def export(batch: Sequence[int]) -> str:
        stuck.wait(PATIENCE)
        return "interrupted"

    sending = Delivery(export, interrupted.set, Bounds(10, 1, 0.01))
    sending.start()
    for number in range(3):
        sending.add(number)
    sending.close(0.05)
    assert interrupted.is_set()
    assert sending.figures().dropped == 2
    assert "2 spans were not delivered before the end" in caplog.text
    stuck.set()


def test_one_that_was_never_started_ends_without_a_word() -> None:
    sending: Delivery[int] = Delivery(lambda _: "", lambda: None, Bounds())
    sending.close(PATIENCE)
    assert sending.figures() == Figures()
