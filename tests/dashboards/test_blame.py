"""Every way in which a call can end is somebody's turn, and only one's."""

from itertools import chain

from gateway.catalogue.model import OTHER
from gateway.dashboards import blame
from gateway.observe import labels


def test_every_code_of_the_platform_is_somebodys() -> None:
    blamed = [*blame.ACCOUNT_CODES, *blame.CALLER_CODES, *blame.PLATFORM_CODES]

    expected = {str(code) for code in labels.PLATFORM_CODES if code != 0} | {OTHER}
    assert set(blamed) == expected, "a new code needs its place in gateway/observe/blame.py"
    assert len(set(blamed)) == len(blamed)


def test_every_own_error_is_somebodys() -> None:
    blamed = [*blame.ACCOUNT_ERRORS, *blame.CALLER_ERRORS, *blame.GATEWAY_ERRORS, *blame.PLATFORM_ERRORS]

    assert set(blamed) == set(labels.OWN_ERRORS), "a new error needs its place in gateway/observe/blame.py"
    assert len(set(blamed)) == len(blamed)


def test_what_is_the_callers_own_fault_costs_no_budget() -> None:
    assert not set(blame.FAILED_ERRORS) & set(blame.CALLER_ERRORS)
    assert not set(blame.FAILED_CODES) & set(blame.CALLER_CODES)
    assert set(blame.FAILED_ERRORS) | set(blame.CALLER_ERRORS) == set(labels.OWN_ERRORS)


def test_every_code_that_a_caller_can_get_has_a_meaning() -> None:
    codes = {str(code) for code in chain(labels.PLATFORM_CODES, labels.OWN_CODES) if code != 0} | {OTHER}

    assert set(blame.MEANINGS) == codes
    for code, meaning in blame.MEANINGS.items():
        assert code == OTHER or meaning.startswith(f"{code} ")
