"""The grammar of shapes, as data files and method rules spell it."""

import pytest

from gateway.catalogue.grammar import merged, shape_of
from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape

STRING = Shape(Kind.STRING)
INTEGER = Shape(Kind.INTEGER)
FORMS = "a type is a word, [T], [wrapped, T] or {name: T}"
NAMED = {"pair": Shape(Kind.OBJECT, {"left": STRING, "right": STRING})}


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        pytest.param("any", ANY, id="any"),
        pytest.param("string", STRING, id="string"),
        pytest.param("integer", INTEGER, id="integer"),
        pytest.param("number", Shape(Kind.NUMBER), id="number"),
        pytest.param("boolean", Shape(Kind.BOOLEAN), id="boolean"),
        pytest.param("object", OBJECT, id="object"),
        pytest.param({}, OBJECT, id="an object without known fields"),
        pytest.param(["string"], Shape(Kind.LIST, item=STRING), id="list"),
        pytest.param([["string"]], Shape(Kind.LIST, item=Shape(Kind.LIST, item=STRING)), id="list of lists"),
        pytest.param(["wrapped", "string"], Shape(Kind.LIST, item=STRING, wrapped=True), id="wrapped list"),
        pytest.param("$pair", NAMED["pair"], id="named shape"),
        pytest.param(
            {"id": "integer", "pairs": ["$pair"]},
            Shape(Kind.OBJECT, {"id": INTEGER, "pairs": Shape(Kind.LIST, item=NAMED["pair"])}),
            id="object",
        ),
    ],
)
def test_a_shape_is_read_as_it_is_spelt(node: object, shape: Shape) -> None:
    assert shape_of(node, NAMED) == shape


@pytest.mark.parametrize(
    ("node", "complaint"),
    [
        pytest.param("text", "'text' is neither a type nor a named shape", id="unknown word"),
        pytest.param("list", "'list' is neither a type nor a named shape", id="list is written [T]"),
        pytest.param("$pear", "'$pear' is neither a type nor a named shape", id="unknown name"),
        pytest.param("pair", "'pair' is neither a type nor a named shape", id="name without its sign"),
        pytest.param([], FORMS, id="empty list"),
        pytest.param(["string", "string"], FORMS, id="two items"),
        pytest.param(None, FORMS, id="null"),
        pytest.param(7, FORMS, id="number"),
        pytest.param({7: "string"}, "the field name 7 is not a string", id="number for a field name"),
        pytest.param(
            {"data": [{"id": "int"}]},
            "data[].id: 'int' is neither a type nor a named shape",
            id="the path is told",
        ),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(node: object, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        shape_of(node, NAMED)
    assert str(caught.value) == complaint


def test_merging_adds_fields_and_keeps_the_known_ones() -> None:
    under = shape_of({"db_id": "integer", "data": {"email": "string", "age": "string"}}, {})
    over = shape_of({"data": {"age": "integer", "bonus": "integer"}}, {})
    wanted = {"db_id": "integer", "data": {"email": "string", "age": "integer", "bonus": "integer"}}
    assert merged(under, over) == shape_of(wanted, {})


def test_merging_reaches_into_the_items_of_a_list() -> None:
    under = shape_of({"result": ["wrapped", {"error": "integer"}]}, {})
    over = shape_of({"result": [{"id": "string"}]}, {})
    assert merged(under, over) == shape_of({"result": ["wrapped", {"error": "integer", "id": "string"}]}, {})


def test_merging_any_takes_a_type_away() -> None:
    assert merged(shape_of({"id": "integer"}, {}), shape_of({"id": "any"}, {})).field("id") is ANY
