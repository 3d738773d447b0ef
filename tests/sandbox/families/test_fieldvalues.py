"""Plain and functional field values."""

from typing import Any

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.families.fieldvalues import changed
from gateway.sandbox.records import FieldType

TYPES = {
    "email": FieldType.EMAIL,
    "phones": FieldType.LIST,
    "visits": FieldType.INTEGER,
    "bonus": FieldType.NUMBER,
    "is_vip": FieldType.BOOLEAN,
    "_fname": FieldType.TEXT,
}


def act(action: str, value: Any = None, submatch: str | None = None) -> dict[str, Any]:
    return {"action": action, "value": value, "submatch": submatch}


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        pytest.param(None, {"visits": "7"}, {"visits": 7}, id="a number from XML"),
        pytest.param(None, {"phones": "+1"}, {"phones": ["+1"]}, id="a list of one from XML"),
        pytest.param(None, {"phones": ""}, {"phones": []}, id="an empty list from XML"),
        pytest.param(None, {"is_vip": "true"}, {"is_vip": True}, id="a boolean from XML"),
        pytest.param(None, {"fname": "Jim"}, {"_fname": "Jim"}, id="a system field without its underscore"),
        pytest.param(None, {"own": [1, {"a": 2}]}, {"own": [1, {"a": 2}]}, id="an unknown field as it is"),
        pytest.param({"own": 1}, {"own": act("set", 2)}, {"own": 2}, id="set"),
        pytest.param(None, {"visits": act("set", "2")}, {"visits": 2}, id="set to the field's type"),
        pytest.param({"own": 1}, {"own": act("unset")}, {}, id="unset"),
        pytest.param({}, {"own": act("unset")}, {}, id="unset what is not there"),
        pytest.param({"visits": 2}, {"visits": act("incr", 3)}, {"visits": 5}, id="incr"),
        pytest.param(
            {"visits": 2}, {"visits": act("incr", "-1")}, {"visits": 1}, id="incr downwards, from XML"
        ),
        pytest.param(
            {"visits": 2**60}, {"visits": act("incr")}, {"visits": 2**60 + 1}, id="incr by one, exactly"
        ),
        pytest.param({}, {"bonus": act("incr", 1.5)}, {"bonus": 1.5}, id="incr from nothing"),
        pytest.param({"phones": ["1"]}, {"phones": act("add", "2")}, {"phones": ["1", "2"]}, id="add"),
        pytest.param(
            {"phones": ["1"]}, {"phones": act("add", ["1"])}, {"phones": ["1", "1"]}, id="add again"
        ),
        pytest.param(
            {"phones": ["1", "2"]}, {"phones": act("delete", ["1"])}, {"phones": ["2"]}, id="delete"
        ),
        pytest.param(
            {"phones": ["1"]}, {"phones": act("upsert", "1")}, {"phones": ["1"]}, id="upsert the same"
        ),
        pytest.param(
            {"cars": [{"id": 1, "c": "red"}, {"id": 2}]},
            {"cars": act("upsert", {"id": 1, "c": "blue"}, "id")},
            {"cars": [{"id": 2}, {"id": 1, "c": "blue"}]},
            id="upsert by a part",
        ),
        pytest.param(
            {"cars": [{"id": 1}, {"id": 2}]},
            {"cars": act("delete", [{"id": 2}], "id")},
            {"cars": [{"id": 1}]},
            id="delete by a part",
        ),
        pytest.param(
            {}, {"own": {"action": "x", "more": 1}}, {"own": {"action": "x", "more": 1}}, id="an object"
        ),
    ],
)
def test_changes(before: dict[str, Any] | None, change: dict[str, Any], after: dict[str, Any]) -> None:
    current = dict(before or {})
    assert changed(current, change, TYPES) == after
    assert current == (before or {})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"email": "no address"}, id="an e-mail address"),
        pytest.param({"visits": "many"}, id="an integer"),
        pytest.param({"bonus": act("incr", "much")}, id="a step"),
        pytest.param({"own": act("explode")}, id="an action"),
        pytest.param({"$own": 1}, id="a field name"),
    ],
)
def test_what_fails_validation(change: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        changed({}, change, TYPES)
    assert caught.value.code == 450
