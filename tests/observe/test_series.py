"""Families print what they counted, and prometheus_client reads the same from them."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import DuplicateTimeseries

from gateway.observe.series import Counter, Gauge, Histogram


def lines_of(family: Counter | Gauge | Histogram) -> str:
    return "".join(family.lines())


def test_a_counter_prints_its_series_in_the_order_of_their_making() -> None:
    counter = Counter("calls_total", "Calls.", ("method", "code"))
    counter.declare([("get", "0"), ("add", "0")])

    counter.inc(("add", "0"))
    counter.inc(("add", "0"), 2)

    assert lines_of(counter) == 'calls_total{method="get",code="0"} 0\ncalls_total{method="add",code="0"} 3\n'


def test_declaring_a_series_again_keeps_its_count() -> None:
    counter = Counter("calls_total", "Calls.", ("method",))
    counter.inc(("get",))

    counter.declare([("get",)])

    assert lines_of(counter) == 'calls_total{method="get"} 1\n'


def test_a_metric_without_labels_is_there_from_the_start() -> None:
    assert lines_of(Counter("calls_total", "Calls.")) == "calls_total 0\n"
    assert lines_of(Histogram("lag_seconds", "Lag.", (1,))) == (
        'lag_seconds_bucket{le="1.0"} 0\n'
        'lag_seconds_bucket{le="+Inf"} 0\n'
        "lag_seconds_count 0\n"
        "lag_seconds_sum 0.0\n"
    )


def test_a_histogram_counts_up_to_and_with_each_bound() -> None:
    histogram = Histogram("took_seconds", "Time.", (0.5, 1), ("method",))

    for value in (0.25, 0.5, 0.75, 1.0, 4.0):
        histogram.observe(value, ("get",))

    assert lines_of(histogram) == (
        'took_seconds_bucket{method="get",le="0.5"} 2\n'
        'took_seconds_bucket{method="get",le="1.0"} 4\n'
        'took_seconds_bucket{method="get",le="+Inf"} 5\n'
        'took_seconds_count{method="get"} 5\n'
        'took_seconds_sum{method="get"} 6.5\n'
    )


def test_a_bucket_names_the_trace_of_its_latest_value_where_the_format_can_say_it() -> None:
    histogram = Histogram("took_seconds", "Time.", (0.5,), ("method",))
    for value, trace_id in ((0.25, "a" * 32), (0.5, "b" * 32), (0.125, ""), (4.0, "c" * 32)):
        histogram.observe(value, ("get",), trace_id)

    assert "".join(histogram.lines(exemplars=True)) == (
        f'took_seconds_bucket{{method="get",le="0.5"}} 3 # {{trace_id="{"b" * 32}"}} 0.5\n'
        f'took_seconds_bucket{{method="get",le="+Inf"}} 4 # {{trace_id="{"c" * 32}"}} 4.0\n'
        'took_seconds_count{method="get"} 4\n'
        'took_seconds_sum{method="get"} 4.875\n'
    )
    assert "trace_id" not in lines_of(histogram)


def test_a_gauge_asks_at_each_printing() -> None:
    numbers = {("open",): 1}
    gauge = Gauge("doors", "Doors.", lambda: numbers.items(), ("state",))
    before = lines_of(gauge)

    numbers[("open",)] = 2

    assert (before, lines_of(gauge)) == ('doors{state="open"} 1\n', 'doors{state="open"} 2\n')


def test_label_values_are_escaped() -> None:
    counter = Counter("calls_total", "Calls.", ("caller",))

    counter.inc(('a"b\\c\nd',))

    assert lines_of(counter) == 'calls_total{caller="a\\"b\\\\c\\nd"} 1\n'


def test_a_registry_of_prometheus_client_sees_the_same_numbers() -> None:
    registry = CollectorRegistry()
    counter = Counter("calls_total", "Calls.", ("method",))
    histogram = Histogram("took_seconds", "Time.", (0.5, 1))
    for family in (counter, histogram, Gauge("doors", "Doors.", lambda: [((), 3)])):
        registry.register(family)

    counter.inc(("get",), 2)
    histogram.observe(0.75)

    assert registry.get_sample_value("calls_total", {"method": "get"}) == 2
    assert registry.get_sample_value("took_seconds_bucket", {"le": "0.5"}) == 0
    assert registry.get_sample_value("took_seconds_bucket", {"le": "1.0"}) == 1
    assert registry.get_sample_value("took_seconds_count") == 1
    assert registry.get_sample_value("took_seconds_sum") == 0.75
    assert registry.get_sample_value("doors") == 3


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(Counter("twice_total", "Twice."), id="counter"),
        pytest.param(Gauge("twice", "Twice.", list), id="gauge"),
        pytest.param(Histogram("twice", "Twice.", (1,)), id="histogram"),
    ],
)
def test_two_metrics_of_one_name_are_refused(family: Counter | Gauge | Histogram) -> None:
    registry = CollectorRegistry()
    registry.register(Counter("twice_total", "Once."))

    with pytest.raises(DuplicateTimeseries):
        registry.register(family)
