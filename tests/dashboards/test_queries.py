"""A query about something that does not exist is refused when it is made."""

import pytest

from gateway.dashboards import queries
from gateway.dashboards.exported import exported


@pytest.mark.parametrize(
    ("name", "matchers"),
    [
        pytest.param("gateway_request_total", (), id="a misspelt metric"),
        pytest.param("gateway_overhead_seconds", (), id="a histogram without its suffix"),
        pytest.param("gateway_requests_total", ('account="a"',), id="a label of another metric"),
        pytest.param("gateway_overhead_seconds_count", ('le="1.0"',), id="a bound of a count"),
        pytest.param("gateway_requests_total", ('code="0',), id="a matcher without its end"),
        pytest.param("gateway_requests_total", ("code=0",), id="a value without quotes"),
        pytest.param("gateway_requests_total", ('code="0", origin="cache"',), id="two matchers in one"),
    ],
)
def test_what_the_gateway_does_not_export_is_refused(name: str, matchers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        queries.series(name, *matchers)


def test_every_query_is_narrowed_by_job_and_instance() -> None:
    assert queries.series("up") == 'up{job=~"$job", instance=~"$instance"}'
    assert queries.rate("gateway_requests_total", 'code!~"0|404"') == (
        'rate(gateway_requests_total{job=~"$job", instance=~"$instance", code!~"0|404"}[$__rate_interval])'
    )


def test_a_quantile_keeps_the_bounds_and_what_it_is_asked_for() -> None:
    assert queries.quantile(0.99, "gateway_request_duration_seconds", by=("api_method",)) == (
        "histogram_quantile(0.99, sum by (api_method, le) (rate(gateway_request_duration_seconds_bucket"
        '{job=~"$job", instance=~"$instance"}[$__rate_interval])))'
    )


def test_nothing_of_nothing_is_no_share() -> None:
    assert queries.share("a", "b") == "a\n/\n(b > 0)"


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("gateway_requests_total", {"api_method", "code", "origin"}),
        ("gateway_request_duration_seconds_bucket", {"api_method", "le"}),
        ("gateway_overhead_seconds_sum", set()),
        ("process_resident_memory_bytes", set()),
        ("up", set()),
    ],
)
def test_samples_are_known_with_their_labels(name: str, labels: set[str]) -> None:
    assert exported()[name] == labels | {"job", "instance"}
