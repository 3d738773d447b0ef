"""Points: amounts are exact, and what is spent was there."""

from collections.abc import Callable
from typing import Any

import pytest

Ask = Callable[..., Any]
ONE = {"loyalty_program_id": 1, "matching": "email", "email": "customer1@example.com"}


@pytest.fixture
def points(ask: Ask) -> Ask:
    """Calls of a registered member."""
    assert ask("loyalty/register_member", **ONE)["error"] == 0
    return lambda api_method, **params: ask(f"loyalty/{api_method}", **ONE, **params)


def balance(points: Ask) -> tuple[str, str]:
    data = points("account/balance")["data"]
    return data["total_balance"], data["active_balance"]


def test_points_are_credited_and_spent_exactly(points: Ask) -> None:
    points("accrue_points", amount="0.10")
    points("accrue_points", amount="0.20")
    assert points("redeeme_points", amount="0.05")["error"] == 0
    assert balance(points) == ("0.25", "0.25")


def test_more_than_there_is_cannot_be_spent(points: Ask) -> None:
    points("accrue_points", amount="5")
    assert points("redeeme_points", amount="5.01")["error"] == 450
    assert balance(points) == ("5", "5")


def test_an_own_transaction_id_makes_a_repeat_safe(points: Ask) -> None:
    codes = [points("accrue_points", amount="5", transaction_eid="order-1")["error"] for _ in range(2)]
    assert codes == [0, 409]
    assert balance(points) == ("5", "5")


def test_temporary_points_count_when_they_are_confirmed(points: Ask) -> None:
    transaction = points("accrue_points", amount="5", is_temp=True)["data"]["transaction_id"]
    assert balance(points) == ("5", "0")
    assert points("commit_transaction", transaction_id=transaction)["error"] == 0
    assert balance(points) == ("5", "5")
    assert points("commit_transaction", transaction_id=transaction)["error"] == 450


def test_a_cancelled_transaction_never_was(points: Ask) -> None:
    points("accrue_points", amount="5", transaction_eid="order-1")
    assert points("cancel_transaction", transaction_eid="order-1")["error"] == 0
    assert points("cancel_transaction", transaction_eid="order-1")["error"] == 450
    assert balance(points) == ("0", "0")


def test_points_live_from_their_activation_to_their_expiration(points: Ask, clock: Any) -> None:
    # The clock stands at 2023-11-14T22:13:20Z.
    points("accrue_points", amount="1", activation_date="2023-12-01", expiration_date="2023-12-31")
    assert balance(points) == ("1", "0")
    expiring = {"date_from": "2023-12-30", "date_to": "2024-01-01"}
    assert [row["amount"] for row in points("account/expiring_points", **expiring)["data"]] == ["1"]
    clock.now += 20 * 86400
    assert balance(points) == ("1", "1")
    clock.now += 40 * 86400
    assert balance(points) == ("0", "0")


def test_transactions_are_listed(points: Ask) -> None:
    points("accrue_points", amount="5", transaction_eid="order-1", created_at="2023-01-01T10:00:00+03:00")
    (row,) = points("account/transactions")["data"]
    assert (row["eid"], row["amount"], row["state"]) == ("order-1", "5", "committed")
    assert row["created_at"] == "2023-01-01T07:00:00+00:00"


@pytest.mark.parametrize("amount", ["0", "-1", "much", "NaN", "Infinity"])
def test_an_amount_is_a_positive_number(points: Ask, amount: str) -> None:
    assert points("accrue_points", amount=amount)["error"] == 450


def test_only_members_have_points(ask: Ask) -> None:
    assert ask("loyalty/accrue_points", **ONE, amount="5")["error"] == 404
    ask("loyalty/register_member", **ONE)
    assert ask("loyalty/register_member", **ONE)["error"] == 409


def test_a_transaction_must_be_named_and_known(points: Ask) -> None:
    assert points("commit_transaction")["error"] == 400
    assert points("commit_transaction", transaction_id="x")["error"] == 404
    assert points("account/expiring_points", date_from="2023-01-01")["error"] == 400
    assert points("accrue_points", amount="1", created_at="yesterday")["error"] == 450
