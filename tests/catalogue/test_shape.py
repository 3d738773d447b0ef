"""What a shape says of the fields it does not know, and that it survives a trip to another process."""

import pickle

import pytest

from gateway.catalogue.loading import load
from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape


def test_nothing_is_known_of_an_unknown_field() -> None:
    assert OBJECT.field("anything") is ANY


def test_a_list_without_a_known_item_has_items_of_any_kind() -> None:
    assert Shape(Kind.LIST).items is ANY


def test_a_shape_cannot_be_changed_by_whoever_holds_it() -> None:
    with pytest.raises(TypeError):
        OBJECT.fields["data"] = ANY  # type: ignore[index]  # what a careless module would try


def test_a_shape_travels_to_a_worker_process() -> None:
    method = load().find("profiles/import")
    assert method is not None
    assert pickle.loads(pickle.dumps(method.parameters)) == method.parameters


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        (ANY, False),
        (Shape(Kind.INTEGER), True),
        (Shape(Kind.LIST, item=Shape(Kind.INTEGER)), True),
        (Shape(Kind.OBJECT, {"a": ANY, "b": Shape(Kind.OBJECT, {"c": Shape(Kind.INTEGER)})}), True),
        (Shape(Kind.OBJECT, {"a": Shape(Kind.STRING)}), False),
    ],
)
def test_a_shape_says_whether_there_is_an_integer_in_it(shape: Shape, found: bool) -> None:
    assert shape.has_integers is found
    assert pickle.loads(pickle.dumps(shape)).has_integers is found
