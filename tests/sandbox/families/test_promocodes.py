from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., Any]
ONE = {"db_id": 1, "loyalty_id": 1, "email": "customer1@example.com"}
TWO = {**ONE, "email": "customer2@example.com"}


@pytest.fixture
def pool(ask: Ask) -> Ask:
    assert ask("promocodes/import", loyalty_id=1, codes=["A", "B"])["inserted"] == 2
    return ask


def test_an_import_counts_doubles_and_what_the_limit_left_out(pool: Ask) -> None:
    reply = pool("promocodes/import", loyalty_id=1, codes=["A", "C", "C", *(f"N{n}" for n in range(100))])
    assert (reply["duplicated"], reply["inserted"], reply["discarded_by_limit"]) == (2, 98, 3)
    assert pool("promocodes/import", loyalty_id=1)["error"] == 400


def test_an_attach_without_a_code_takes_the_next_one(pool: Ask) -> None:
    assert [pool("promocodes/attach", **ONE)["data"]["code"] for _ in range(2)] == ["A", "B"]
    assert pool("promocodes/attach", **ONE)["error"] == 404


def test_an_unknown_code_is_imported_and_attached(pool: Ask) -> None:
    owner = pool("promocodes/attach", **ONE, code="NEW")["data"]["profile_id"]
    assert pool("promocodes/get", loyalty_id=1, code="NEW")["data"]["profile_id"] == owner
    assert pool("promocodes/attach", **ONE, code="NEW")["error"] == 0
    assert pool("promocodes/attach", **TWO, code="NEW")["error"] == 409


def test_only_an_attached_code_can_be_used(pool: Ask) -> None:
    code = {"loyalty_id": 1, "code": "A"}
    assert pool("promocodes/activate", **code)["error"] == 450
    pool("promocodes/attach", **ONE, code="A")
    assert pool("promocodes/activate", **code)["data"] is None
    assert pool("promocodes/get", **code)["data"]["activated"] is True
    changed = pool("promocodes/update", **code, activated=False, expire_date="2030-01-01")["data"]
    assert (changed["activated"], changed["expire_date"]) == (False, "2030-01-01T00:00:00+00:00")
    assert pool("promocodes/activate", loyalty_id=1, code="none")["error"] == 404


def test_a_detach_needs_one_code(pool: Ask) -> None:
    assert pool("promocodes/detach", **ONE)["error"] == 404
    pool("promocodes/attach", **ONE, code="A")
    pool("promocodes/attach", **ONE, code="B")
    assert pool("promocodes/detach", **ONE)["error"] == 435
    assert pool("promocodes/detach", **ONE, code="A")["data"]["profile_id"] is None
    owners = {
        row["code"]: row["profile_id"] is None for row in pool("promocodes/export_all", loyalty_id=1)["data"]
    }
    assert owners == {"A": True, "B": False}
