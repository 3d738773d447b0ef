"""Each request to the platform is counted once, under labels from closed sets."""

from collections.abc import Callable, Mapping

import pytest
from msgspec.structs import replace

from gateway.observe.metrics import Metrics
from gateway.records import AttemptRecord, FailureKind

Counted = Callable[[str], dict[tuple[str, ...], float]]


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        pytest.param({}, ("profiles/get", "0"), id="success"),
        pytest.param({"code": 404}, ("profiles/get", "404"), id="an error of the platform"),
        pytest.param({"code": 12345}, ("profiles/get", "other"), id="an unlisted code"),
        pytest.param({"code": None}, ("profiles/get", "other"), id="an answer without a code"),
        pytest.param({"code": None, "failure": "reset"}, ("profiles/get", "none"), id="no answer"),
        pytest.param({"api_method": "strange"}, ("other", "0"), id="an undeclared method"),
    ],
)
def test_an_attempt_is_exactly_one_sample(
    metrics: Metrics,
    counted: Counted,
    an_attempt: AttemptRecord,
    changes: Mapping[str, object],
    labels: tuple[str, ...],
) -> None:
    metrics.attempt(replace(an_attempt, **changes))

    assert counted("gateway_upstream_requests_total") == {labels: 1}
    assert counted("gateway_upstream_request_duration_seconds_count") == {labels[:1]: 1}


@pytest.mark.parametrize("kind", ["connect", "timeout", "reset", "protocol", "tls"])
def test_a_failure_counts_by_account_and_kind(
    metrics: Metrics, counted: Counted, an_attempt: AttemptRecord, kind: FailureKind
) -> None:
    metrics.attempt(replace(an_attempt, account="second", code=None, failure=kind))
    metrics.attempt(replace(an_attempt, account="strange", code=None, failure=kind))

    assert counted("gateway_upstream_errors_total") == {("second", kind): 1, ("other", kind): 1}


def test_an_answered_attempt_is_no_error(
    metrics: Metrics, counted: Counted, an_attempt: AttemptRecord
) -> None:
    metrics.attempt(replace(an_attempt, code=500))

    assert counted("gateway_upstream_errors_total") == {}


def test_items_of_a_batch_count_by_their_own_code(
    metrics: Metrics, counted: Counted, an_attempt: AttemptRecord
) -> None:
    metrics.attempt(
        replace(
            an_attempt, api_method="profiles/add_batch", item_codes=((0, 2), (409, 1), (None, 1), (777, 1))
        )
    )

    assert counted("gateway_item_results_total") == {
        ("profiles/add_batch", "0"): 2,
        ("profiles/add_batch", "409"): 1,
        ("profiles/add_batch", "other"): 2,
    }
    assert counted("gateway_upstream_requests_total") == {("profiles/add_batch", "0"): 1}


def test_an_answer_that_the_platform_called_a_duplicate_is_counted(
    metrics: Metrics, counted: Counted, an_attempt: AttemptRecord
) -> None:
    metrics.attempt(replace(an_attempt, api_method="profiles/add", duplicate=True))
    metrics.attempt(replace(an_attempt, api_method="profiles/add"))

    assert counted("gateway_platform_duplicates_total") == {("profiles/add",): 1}
