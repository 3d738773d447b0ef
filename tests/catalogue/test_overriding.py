"""An operator's method rules over the shipped catalogue."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.entry import Fault
from gateway.catalogue.loading import load
from gateway.catalogue.model import ApiMethod, Catalogue, Effect, Repeats, Replay
from gateway.catalogue.overriding import MethodRulesError, override
from gateway.catalogue.shape import Kind, Shape

SHIPPED = load()


def changed_method(name: str, **rule: object) -> ApiMethod:
    method = override(SHIPPED, {name: rule}).find(name)
    assert method is not None
    return method


def faults_of(rules: dict[str, dict[str, object]]) -> tuple[Fault, ...]:
    with pytest.raises(MethodRulesError) as caught:
        override(SHIPPED, rules)
    return caught.value.faults


@given(st.lists(st.sampled_from(sorted(SHIPPED.methods))))
def test_rules_that_give_nothing_change_nothing(names: list[str]) -> None:
    assert override(SHIPPED, {name: {} for name in names}) == SHIPPED


@pytest.mark.parametrize(
    ("name", "key", "given", "value"),
    [
        ("profiles/get", "ttl", 5.0, 5.0),
        ("profiles/get", "stale_while_revalidate", 1, 1.0),
        ("profiles/get", "stale_if_error", 0, 0.0),
        ("profiles/get", "negative_ttl", {404: 1.0}, {404: 1.0}),
        ("profiles/get", "tags", ("profiles", "db:{db_id}"), ("profiles", "db:{db_id}")),
        ("profiles/get", "tags", (), ()),
        ("profiles/get", "coalesce", False, False),
        ("profiles/get", "token", "reader", "reader"),
        ("profiles/get", "allowed", False, False),
        ("profiles/add", "repeats", Repeats.FLIGHT, Repeats.FLIGHT),
        ("profiles/add", "window", 60.0, 60.0),
        ("profiles/add", "replay", "always", Replay.ALWAYS),
        ("profiles/add", "invalidates", ["profiles"], ("profiles",)),
        ("profiles/add", "effect", Effect.TASK, Effect.TASK),
    ],
)
def test_a_rule_changes_only_the_field_it_gives(name: str, key: str, given: object, value: object) -> None:
    before, after = SHIPPED.methods[name], changed_method(name, **{key: given})
    assert getattr(after, key) == value
    others = [field.name for field in fields(ApiMethod) if field.init and field.name != key]
    assert [getattr(after, other) for other in others] == [getattr(before, other) for other in others]


def test_a_rule_leaves_the_other_methods_and_the_shipped_catalogue_alone() -> None:
    overridden = override(SHIPPED, {"profiles/get": {"ttl": 5}})
    assert {name for name in SHIPPED.methods if overridden.find(name) != SHIPPED.find(name)} == {
        "profiles/get"
    }
    assert SHIPPED.methods["profiles/get"].ttl == 0.0
    assert list(overridden.methods) == list(SHIPPED.methods)


def test_parameters_are_added_to_those_that_are_known() -> None:
    method = changed_method("profiles/import", parameters={"data": {"bonus": "integer", "_sex": "any"}})
    data = method.parameters.field("data")
    assert data.field("bonus") == Shape(Kind.INTEGER)
    assert data.field("_sex") == Shape()
    assert data.field("phones") == Shape(Kind.LIST, item=Shape(Kind.STRING))
    assert method.parameters.field("db_id") == Shape(Kind.INTEGER)


def test_a_rule_may_use_the_named_shapes() -> None:
    method = changed_method("profiles/split", parameters={"parts": ["$profile"]})
    assert method.parameters.field("parts").items == SHIPPED.shapes["profile"]


def test_a_new_method_is_known_from_then_on() -> None:
    method = changed_method("segments/delete", effect="modify", invalidates=["segment:{id}"])
    assert method == ApiMethod("segments/delete", Effect.MODIFY, invalidates=("segment:{id}",))
    assert method.label == "segments/delete"


def test_a_new_write_that_does_not_say_what_it_changes_changes_everything() -> None:
    assert changed_method("segments/delete", effect="modify").invalidates == ("*",)


def test_a_read_declared_a_write_changes_everything_until_it_says_less() -> None:
    assert changed_method("webver/get", effect="modify").invalidates == ("*",)
    assert changed_method("webver/get", effect="modify", invalidates=["webver"]).invalidates == ("webver",)
    assert changed_method("profiles/get", effect="task").tags == ()


def test_a_write_declared_a_read_changes_nothing_any_more() -> None:
    method = changed_method("promocodes/import", effect="read", tags=["program:{loyalty_id}"])
    assert (method.tags, method.invalidates) == (("program:{loyalty_id}",), ())


def test_a_write_that_changes_nothing_kept_can_say_so() -> None:
    assert changed_method("pushes/post_events", invalidates=[]).invalidates == ()


def test_a_new_method_needs_an_effect() -> None:
    wanted = Fault("segments/delete", "effect", "is needed, since the catalogue does not know the method")
    assert faults_of({"segments/delete": {"ttl": 5}}) == (wanted,)


@pytest.mark.parametrize(
    "name", ["", "/profiles/get", "profiles/get/", "profiles//get", "../profiles", "profile s"]
)
def test_what_is_no_name_of_a_method_is_refused(name: str) -> None:
    (fault,) = faults_of({name: {"effect": "read"}})
    assert (fault.method, fault.key) == (name, "")


def test_tags_for_a_write_and_changes_for_a_read_are_refused() -> None:
    rules: dict[str, dict[str, object]] = {
        "profiles/add": {"tags": ["profiles"]},
        "profiles/get": {"invalidates": ["profiles"]},
    }
    assert faults_of(rules) == (
        Fault("profiles/add", "tags", "are for reads, and this method modifies: use invalidates"),
        Fault("profiles/get", "invalidates", "is for writes, and this method reads: use tags"),
    )


@pytest.mark.parametrize("key", ["ttl", "stale_while_revalidate", "stale_if_error"])
def test_the_time_for_which_the_answer_of_a_write_is_kept_is_refused(key: str) -> None:
    text = "is about answers of reads, and this method modifies: nothing of it is kept"
    assert faults_of({"profiles/import": {key: 5.0}}) == (Fault("profiles/import", key, text),)
    assert faults_of({"profiles/get": {"effect": "modify", key: 5.0}}) == (Fault("profiles/get", key, text),)


def test_what_is_said_about_repeats_of_a_read_is_refused() -> None:
    text = "is about repeats of writes, and this method reads"
    rule: dict[str, object] = {"window": 5.0, "replay": "always", "repeats": "content"}
    assert faults_of({"profiles/get": rule}) == tuple(Fault("profiles/get", key, text) for key in rule)


def test_all_faults_of_all_rules_are_told_at_once() -> None:
    rules: dict[str, dict[str, object]] = {
        "profiles/get": {"ttl": "soon", "timeout": 3},
        "segments/delete": {},
        "profiles/add": {"repeats": "never"},
    }
    assert [(fault.method, fault.key) for fault in faults_of(rules)] == [
        ("profiles/get", "ttl"),
        ("profiles/get", "timeout"),
        ("segments/delete", "effect"),
        ("profiles/add", "repeats"),
    ]


RULES: dict[str, dict[str, object]] = {
    "profiles/get": {"effect": "modify"},
    "profiles/add": {"effect": "read", "ttl": 5},
    "profiles/import": {"parameters": {"data": {"bonus": "integer"}}},
    "segments/delete": {"effect": "modify"},
}


def test_rules_laid_twice_are_the_same_as_once() -> None:
    once = override(SHIPPED, RULES)
    assert override(once, RULES) == once


def test_an_empty_catalogue_takes_rules_as_well() -> None:
    assert [method.name for method in override(Catalogue({}), {"a/b": {"effect": "read"}})] == ["a/b"]
