"""Loose typing: what a parameter may look like, and what it may not."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.values import Params, Value


@pytest.mark.parametrize(
    ("read", "sent", "meant"),
    [
        pytest.param(Params.integer, 7, 7, id="integer"),
        pytest.param(Params.integer, "7", 7, id="integer as text"),
        pytest.param(Params.integer, "-7", -7, id="negative"),
        pytest.param(Params.number, "1.50", 1.5, id="number as text"),
        pytest.param(Params.flag, "true", True, id="boolean as text"),
        pytest.param(Params.flag, 0, False, id="boolean as number"),
        pytest.param(Params.text, 7, "7", id="text as number"),
        pytest.param(Params.texts, "one", ["one"], id="a list of one as its item"),
        pytest.param(Params.texts, "", [], id="an empty element as an empty list"),
        pytest.param(Params.objects, {"a": 1}, [{"a": 1}], id="a list of one object as that object"),
        pytest.param(Params.object, "", {}, id="an empty element as an empty object"),
    ],
)
def test_what_is_taken(read: Callable[[Params, str], Any], sent: Value, meant: Any) -> None:
    assert read(Params({"p": sent}), "p") == meant


@pytest.mark.parametrize(
    ("read", "sent"),
    [
        pytest.param(Params.integer, "seven", id="a word"),
        pytest.param(Params.integer, 7.5, id="a fraction"),
        pytest.param(Params.integer, True, id="a boolean"),
        pytest.param(Params.integer, "1_000", id="Python's underscores"),
        pytest.param(Params.integer, "٧", id="another script's digit"),
        pytest.param(Params.number, "nan", id="not a number"),
        pytest.param(Params.flag, "yes", id="not a boolean"),
        pytest.param(Params.text, {"a": 1}, id="an object for text"),
        pytest.param(Params.object, [1], id="a list for an object"),
        pytest.param(Params.objects, ["a"], id="text for an object"),
    ],
)
def test_what_fails_validation(read: Callable[[Params, str], Any], sent: Value) -> None:
    with pytest.raises(ApiError) as caught:
        read(Params({"p": sent}), "p")
    assert caught.value.code == 450


@pytest.mark.parametrize("values", [{}, {"p": None}, {"p": ""}], ids=["left out", "null", "empty"])
def test_a_required_parameter_that_is_missing_is_an_incorrect_request(values: dict[str, Value]) -> None:
    with pytest.raises(ApiError) as caught:
        Params(values).integer("p")
    assert caught.value.code == 400
