"""Reading one entry: every field's own rule, and all faults at once."""

from collections.abc import Mapping

import pytest

from gateway.catalogue.entry import Fault, read, treatment
from gateway.catalogue.model import Effect, Repeats, Replay
from gateway.catalogue.shape import Kind, Shape

READERS = treatment({"pair": Shape(Kind.OBJECT)})


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("effect", "task", Effect.TASK),
        ("effect", Effect.READ, Effect.READ),
        ("parameters", {"id": "integer"}, Shape(Kind.OBJECT, {"id": Shape(Kind.INTEGER)})),
        ("parameters", "$pair", Shape(Kind.OBJECT)),
        ("tags", ["db:{id}", "profiles"], ("db:{id}", "profiles")),
        ("tags", (), ()),
        ("invalidates", ("*",), ("*",)),
        ("ttl", 0, 0.0),
        ("ttl", 0.25, 0.25),
        ("negative_ttl", {404: 1, 441: 0.5}, {404: 1.0, 441: 0.5}),
        ("coalesce", False, False),
        ("replay", "always", Replay.ALWAYS),
        ("window", 82800, 82800.0),
        ("repeats", "content", Repeats.CONTENT),
        ("token", "reader", "reader"),
        ("allowed", False, False),
    ],
)
def test_a_field_is_read(key: str, given: object, value: object) -> None:
    assert read("profiles/get", {key: given}, READERS) == ({key: value}, [])


@pytest.mark.parametrize(
    ("key", "given", "complaint"),
    [
        ("effect", "write", "must be one of read, modify, task"),
        ("effect", None, "must be one of read, modify, task"),
        ("parameters", "integer", "a body is an object: write {name: T}"),
        ("parameters", {"id": "int"}, "id: 'int' is neither a type nor a named shape"),
        ("tags", "db:{id}", "must be a list of tags"),
        ("tags", {"db": 1}, "must be a list of tags"),
        ("tags", [7], "must be a non-empty string"),
        ("tags", ["db:{"], "'db:{' is not a tag: write kind:{parameter}, kind:*, a family or *"),
        ("ttl", "5s", "must be a number of seconds"),
        ("ttl", True, "must be a number of seconds"),
        ("ttl", -1, "must be 0 or more seconds"),
        ("ttl", float("inf"), "must be 0 or more seconds"),
        ("ttl", float("nan"), "must be 0 or more seconds"),
        ("negative_ttl", 5, "must map codes of the platform to seconds"),
        ("negative_ttl", {"404": 5}, "must map codes of the platform to seconds"),
        ("negative_ttl", {True: 5}, "must map codes of the platform to seconds"),
        ("negative_ttl", {404: -5}, "must be 0 or more seconds"),
        ("coalesce", "yes", "must be true or false"),
        ("replay", "once", "must be one of owed, always, never"),
        ("repeats", "key", "must be one of flight, content"),
        ("token", "", "must be a non-empty string"),
        ("time_to_live", 5, "unknown key"),
    ],
)
def test_a_field_that_cannot_be_read_is_told_with_the_reason(key: str, given: object, complaint: str) -> None:
    values, faults = read("profiles/get", {key: given}, READERS)
    assert values == {}
    assert faults == [Fault("profiles/get", key, complaint)]


def test_all_faults_of_an_entry_are_told_at_once() -> None:
    entry: Mapping[str, object] = {"effect": "write", "ttl": 5, "window": "1h"}
    values, faults = read("profiles/get", entry, READERS)
    assert values == {"ttl": 5.0}
    assert [str(fault) for fault in faults] == [
        "profiles/get effect: must be one of read, modify, task",
        "profiles/get window: must be a number of seconds",
    ]
