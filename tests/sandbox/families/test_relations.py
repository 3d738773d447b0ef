from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox

Ask = Callable[..., Any]
PAIR = {
    "rel_id": 1,
    "profile_a": {"db_id": 1, "email": "customer1@example.com"},
    "profile_b": {"db_id": 1, "email": "customer2@example.com"},
}


def test_editing_is_repeatable_and_strengthening_adds_up(ask: Ask, sandbox: Sandbox) -> None:
    for _ in range(2):
        key = ask("relations/edit", **PAIR, weights={"friend": 1})
    ask("relations/strengthen", **PAIR, weights={"friend": "0.5", "rival": 2})
    assert sandbox.state.relations == {(1, key["profile_a"], key["profile_b"]): {"friend": 1.5, "rival": 2.0}}


def test_a_detached_relation_is_gone(ask: Ask) -> None:
    ask("relations/edit", **PAIR, weights={})
    assert ask("relations/detach", **PAIR)["relation_id"] == 1
    assert ask("relations/detach", **PAIR)["error"] == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rel_id": 2}, 404),
        ({"profile_b": {"db_id": 1, "email": "nobody@example.com"}}, 404),
        ({"profile_b": {"db_id": 1, "email": "twin@example.com"}}, 435),
        ({"weights": {"friend": "much"}}, 450),
    ],
    ids=["kind", "nobody", "two profiles", "weight"],
)
def test_what_is_refused(ask: Ask, sandbox: Sandbox, change: dict[str, Any], code: int) -> None:
    assert ask("relations/edit", **{**PAIR, "weights": {}, **change})["error"] == code
    assert sandbox.state.relations == {}
