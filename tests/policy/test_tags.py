"""Which tags a call has, and that a write and a read of the same thing always meet."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.model import ApiMethod, Effect, unknown_method
from gateway.policy.tags import TagRule, changed_by, told


def fields_of(body: str) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(body, type=dict[str, msgspec.Raw])


def carried(body: str, *tags: str) -> tuple[str, ...]:
    return TagRule.of(ApiMethod("things/get", Effect.READ, tags=tags)).tags(fields_of(body))


def changed(body: str, *invalidates: str) -> tuple[str, ...]:
    return TagRule.of(ApiMethod("things/set", Effect.MODIFY, invalidates=invalidates)).tags(fields_of(body))


UNTOLD = [
    pytest.param("{}", id="missing"),
    pytest.param('{"id": null}', id="null"),
    pytest.param('{"id": true}', id="boolean"),
    pytest.param('{"id": 7.0}', id="with a fraction"),
    pytest.param('{"id": 7e0}', id="with an exponent"),
    pytest.param('{"id": -7}', id="negative"),
    pytest.param('{"id": -0}', id="minus zero"),
    pytest.param('{"id": "007"}', id="leading zeros"),
    pytest.param('{"id": " 7"}', id="space inside"),
    pytest.param('{"id": "+7"}', id="sign"),
    pytest.param('{"id": ""}', id="empty"),
    pytest.param('{"id": "\\u0037"}', id="escaped digit"),
    pytest.param('{"id": "٧"}', id="a digit of another script"),
    pytest.param('{"id": "seven"}', id="text"),
    pytest.param('{"id": [7]}', id="list"),
    pytest.param('{"id": {"id": 7}}', id="object"),
    pytest.param('{"ID": 7}', id="other case"),
    pytest.param('{"id": 123456789012345678901}', id="longer than an id can be"),
]


@pytest.mark.parametrize("body", ['{"id": 7}', '{"id": "7"}', '{"id" :  7 }', '{"id": 8, "id": 7}'])
def test_a_number_and_its_quoted_spelling_are_one_value(body: str) -> None:
    assert carried(body, "db:{id}") == ("*", "things", "db:7")
    assert changed(body, "db:{id}") == ("db:7", "db:*")


@pytest.mark.parametrize("body", UNTOLD)
def test_a_read_of_something_untold_depends_on_all_of_the_kind(body: str) -> None:
    assert carried(body, "db:{id}") == ("*", "things", "db:*")


@pytest.mark.parametrize("body", UNTOLD)
def test_a_write_of_something_untold_changes_everything(body: str) -> None:
    assert changed(body, "db:{id}", "profiles") == ("*",)


def test_zero_is_a_value() -> None:
    assert carried('{"id": 0}', "db:{id}") == ("*", "things", "db:0")


def test_the_same_thing_meets_under_different_names_of_the_parameter() -> None:
    write = changed('{"db_id": "7"}', "db:{db_id}")
    assert set(write) & set(carried('{"list_id": 7}', "db:{list_id}"))
    assert not set(write) & set(carried('{"list_id": 8}', "db:{list_id}"))


def test_a_read_without_templates_carries_its_family() -> None:
    assert carried("{}") == ("*", "things")


def test_a_write_of_a_new_thing_changes_what_depends_on_all_of_the_kind() -> None:
    write = set(changed("{}", "segment:*"))
    assert write & set(carried("{}", "segment:*"))
    assert not write & set(carried('{"id": 7}', "segment:{id}"))


def test_a_thing_that_is_always_the_same_needs_no_parameter() -> None:
    assert carried("{}", "db:7") == ("*", "things", "db:7")
    assert changed("{}", "db:7") == ("db:7", "db:*")


def test_plain_tags_are_changed_as_they_are() -> None:
    assert changed("{}", "profiles", "counters", "profiles") == ("profiles", "counters")


def test_a_write_that_changes_everything_names_nothing_else() -> None:
    assert changed('{"id": 7}', "profiles", "*") == ("*",)
    assert TagRule.of(unknown_method("segments/delete")).tags({}) == ("*",)


def test_each_tag_is_named_once() -> None:
    assert carried('{"a": 7, "b": 7}', "db:{a}", "db:{b}", "things") == ("*", "things", "db:7")
    assert changed('{"a": 7, "b": 8}', "db:{a}", "db:{b}") == ("db:7", "db:*", "db:8")


@given(st.integers(min_value=0, max_value=10**20 - 1))
def test_every_plain_whole_number_is_told(number: int) -> None:
    assert told(msgspec.Raw(str(number).encode())) == str(number)
    assert told(msgspec.Raw(f'"{number}"'.encode())) == str(number)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=4,
)


@given(values)
def test_what_is_told_is_the_value_that_another_decoder_reads(value: object) -> None:
    tag = told(msgspec.Raw(json.dumps(value).encode()))
    if tag is not None:
        assert str(value) == tag
        assert int(tag) >= 0


bodies = st.dictionaries(st.sampled_from(["id", "db_id"]), values).map(json.dumps)


@given(bodies, bodies)
def test_a_write_and_a_read_miss_each_other_only_when_both_name_another_thing(write: str, read: str) -> None:
    met = set(changed(write, "db:{db_id}")) & set(carried(read, "db:{id}"))
    written, asked = fields_of(write).get("db_id"), fields_of(read).get("id")
    if not met:
        assert told(written) is not None
        assert told(asked) is not None
        assert told(written) != told(asked)


@pytest.mark.parametrize(
    ("tag", "tags"),
    [
        ("db:7", ("db:7", "db:*")),
        ("db:main", ("db:main", "db:*")),
        ("profiles", ("profiles",)),
        ("db:*", ("*",)),
        ("*", ("*",)),
    ],
)
def test_a_tag_that_somebody_says_has_changed_takes_what_may_depend_on_it(
    tag: str, tags: tuple[str, ...]
) -> None:
    assert changed_by(tag) == tags


@pytest.mark.parametrize("tag", ["db:{id}", "", "db:", "a b", "db:7:8", "**"])
def test_what_is_no_tag_cannot_have_changed(tag: str) -> None:
    with pytest.raises(ValueError, match=r"tag|template"):
        changed_by(tag)
