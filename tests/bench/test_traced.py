"""The bench of tracing, with short rounds: it measures what it says."""

import pytest

from bench import traced

pytestmark = [pytest.mark.full, pytest.mark.timeout(180)]


def test_every_way_to_trace_is_measured_and_sends_as_many_spans_as_it_says() -> None:
    steps: list[str] = []
    rows = [row.strip("| ").split(" | ") for row in traced.measure(1, 1, steps.append).splitlines()[2:]]
    assert len(steps) == 2 * len(rows)
    spans = {(row[0], row[1]): float(row[4]) for row in rows}
    write, read = (case.name for case in traced.CASES)
    assert spans[write, "off"] == spans[write, "passed on, none recorded"] == 0
    assert 0 < spans[write, "a tenth recorded"] < spans[write, "all recorded"]
    assert 0 < spans[read, "all recorded"] < spans[write, "all recorded"]
