"""gateway.observe.kinds: calls of a kind differ in nothing that is counted."""

import pytest
from msgspec.structs import replace

from gateway.observe.kinds import KINDS, kind_of
from gateway.records import CallRecord


@pytest.mark.parametrize(
    "changes",
    [
        {"time": 1.0, "request_id": "other"},
        {"called": "profiles/other"},
        {"seconds": 9.0, "upstream_seconds": 8.0, "queue_seconds": 7.0},
        {"request_bytes": 1, "reply_bytes": 2},
    ],
)
def test_calls_that_differ_in_times_ids_and_sizes_are_of_one_kind(
    a_call: CallRecord, changes: dict[str, object]
) -> None:
    assert kind_of(replace(a_call, **changes)) is kind_of(a_call)


@pytest.mark.parametrize(
    "changes",
    [
        {"api_method": "profiles/add"},
        {"account": "second"},
        {"caller": ""},
        {"code": 404},
        {"code": None},
        {"status": 404},
        {"origin": "cache"},
        {"cache": "hit"},
        {"flight": "led"},
        {"attempts": 2},
        {"duplicate": True},
        {"error": "overloaded"},
        {"conversions": ("xml_to_json",)},
    ],
)
def test_calls_that_differ_in_anything_else_are_not(a_call: CallRecord, changes: dict[str, object]) -> None:
    assert kind_of(replace(a_call, **changes)) is not kind_of(a_call)


def test_a_kind_says_whether_its_calls_have_failed_and_for_which_reason(a_call: CallRecord) -> None:
    full = replace(a_call, code=503, status=503, error="overloaded", error_text="no free place")
    paced = replace(full, error_text="held back by upstream.rate")

    assert [kind_of(call).failed for call in (a_call, full, paced)] == [False, True, True]
    assert [kind_of(call).reason for call in (a_call, full, paced)] == ["", "overloaded", "upstream.rate"]


def test_a_kind_comes_anew_when_there_were_too_many(a_call: CallRecord) -> None:
    before = kind_of(a_call)
    for code in range(10_000, 10_000 + KINDS + 1):
        kind_of(replace(a_call, code=code))

    assert kind_of(a_call) is not before
    assert kind_of(a_call) is kind_of(a_call)
