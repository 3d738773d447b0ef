from typing import Any

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.families.queries import selects
from gateway.sandbox.values import Fields

RECORD: Fields = {"city": "Oslo", "visits": 5, "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"city": "Oslo"}, True),
        ({"city": "Rome"}, False),
        ({"visits": "5"}, True),
        ({"tags": "b"}, True),
        ({"tags": "c"}, False),
        ({"visits": {"$gt": 4, "$lt": 6}}, True),
        ({"visits": {"$gte": 5, "$lte": 5}}, True),
        ({"visits": {"$gt": 5}}, False),
        ({"visits": {"$gt": "4"}}, False),
        ({"city": {"$gt": "Lima"}}, True),
        ({"city": {"$ne": "Oslo"}}, False),
        ({"city": {"$in": ["Rome", "Oslo"]}}, True),
        ({"city": {"$nin": ["Rome"]}}, True),
        ({"country": {"$exists": False}}, True),
        ({"$or": [{"city": "Rome"}, {"visits": 5}]}, True),
        ({"$and": [{"city": "Rome"}, {"visits": 5}]}, False),
    ],
    ids=str,
)
def test_a_query(query: dict[str, Any], found: bool) -> None:
    assert selects(query)(RECORD) is found


@pytest.mark.parametrize("query", [{"$where": "1"}, {"city": {"$regex": "O"}}], ids=str)
def test_an_operator_that_is_not_simulated_is_refused(query: Any) -> None:
    with pytest.raises(ApiError) as caught:
        selects(query)
    assert caught.value.code == 450
