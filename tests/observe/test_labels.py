"""Label values come from closed sets."""

from typing import get_args

import pytest

from gateway import errors
from gateway.observe.labels import NONE, OWN_CODES, PLATFORM_CODES, SINKS, ClosedSet, code_label
from gateway.tokens.redaction import Sink


@pytest.mark.parametrize(
    "kind", [errors.BAD_REQUEST, errors.UPSTREAM_RESET, errors.OVERLOADED, errors.INTERNAL]
)
def test_the_codes_of_the_gateways_own_errors_are_taken_from_their_table(kind: errors.ErrorKind) -> None:
    assert kind.code in OWN_CODES
    assert tuple(sorted(set(OWN_CODES))) == OWN_CODES


@pytest.mark.parametrize("code", [*PLATFORM_CODES, 502, 503, 504])
def test_a_known_code_is_its_own_label(code: int) -> None:
    assert code_label(code) == str(code)


@pytest.mark.parametrize("code", [None, 1, -1, 200, 999, 10**30])
def test_any_other_code_is_other(code: int | None) -> None:
    assert code_label(code) == "other"


def test_the_sinks_are_those_that_the_redactor_knows() -> None:
    assert get_args(Sink) == SINKS


def test_a_closed_set_takes_only_what_was_added() -> None:
    names = ClosedSet([NONE])
    names.add("crm")

    assert [names.label(name) for name in ("crm", "none", "CRM", "")] == ["crm", "none", "other", "other"]
    assert "crm" in names
    assert "other" not in names
