"""Two ranks of plain data."""

from typing import Any

import pytest

from gateway.settings.merging import is_blocked, merged, nested, without, yielding
from gateway.settings.model import Settings


def test_maps_are_joined_and_all_else_is_replaced() -> None:
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 4}
    above = {"a": {"c": [3], "e": 5}, "d": {"f": 6}}
    assert merged(below, above) == {"a": {"b": 1, "c": [3], "e": 5}, "d": {"f": 6}}
    assert below == {"a": {"b": 1, "c": [1, 2]}, "d": 4}


def test_nested() -> None:
    assert nested(("a", "b"), 1) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("below", "above", "left"),
    [
        pytest.param({"token": {"env": "A"}}, {"token": {"file": "f"}}, {"token": {}}, id="another source"),
        pytest.param(
            {"token": {"env": "A"}}, {"token": {"env": "B"}}, {"token": {"env": "A"}}, id="the same source"
        ),
        pytest.param(
            {"token": {"env": "A"}},
            {"token": {"file": None}},
            {"token": {"env": "A"}},
            id="null chooses nothing",
        ),
        pytest.param(
            {"listen": {"host": "h", "port": 1}}, {"listen": {"uds": "/s"}}, {"listen": {}}, id="a socket"
        ),
        pytest.param(
            {"listen": {"port": 1}}, {"listen": {"host": "h"}}, {"listen": {"port": 1}}, id="host beside port"
        ),
        pytest.param(
            {"accounts": {"eu": {"token": {"file": "f"}, "base_url": "u"}}},
            {"accounts": {"eu": {"token": {"env": "A"}}}},
            {"accounts": {"eu": {"token": {}, "base_url": "u"}}},
            id="in an account",
        ),
        pytest.param(
            {"token": {"vault": {"auth": {"token": {"env": "A"}}}}},
            {"token": {"vault": {"auth": {"approle": {}}}}},
            {"token": {"vault": {"auth": {}}}},
            id="a login at vault",
        ),
        pytest.param(
            {"methods": {"x": {"parameters": {"env": "string"}}}},
            {"methods": {"x": {"parameters": {"file": "string"}}}},
            {"methods": {"x": {"parameters": {"env": "string"}}}},
            id="parameters are no sources",
        ),
    ],
)
def test_alternatives_step_aside(below: dict[str, Any], above: dict[str, Any], left: dict[str, Any]) -> None:
    assert yielding(below, above, Settings) == left


@pytest.mark.parametrize(
    ("data", "path", "blocked"),
    [
        ({}, ("token", "env"), False),
        ({"token": {"env": "A"}}, ("token", "env"), False),
        ({"token": "literal"}, ("token", "env"), True),
        ({"token": "literal"}, ("token",), True),
        ({"upstream": {"timeouts": 5}}, ("upstream", "timeouts", "total"), True),
        ({"log": {"level": 5}}, ("log", "level"), False),
    ],
)
def test_what_should_be_a_section_is_not_covered_up(data: Any, path: tuple[str, ...], blocked: bool) -> None:
    assert is_blocked(data, path, Settings) is blocked


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        (("a",), {"d": [1]}),
        (("a", "b"), {"a": {"c": 2}, "d": [1]}),
        (("a", "missing"), {"d": [1]}),
        (("d", 0), {"a": {"b": 1, "c": 2}}),
        (("missing", "b"), {"a": {"b": 1, "c": 2}, "d": [1]}),
        (("a", "missing", "x"), {"a": {"b": 1, "c": 2}, "d": [1]}),
        (("missing",), {"a": {"b": 1, "c": 2}, "d": [1]}),
    ],
)
def test_an_entry_or_the_one_above_it_is_left_out(path: Any, rest: dict[str, Any]) -> None:
    assert without({"a": {"b": 1, "c": 2}, "d": [1]}, path) == rest
