"""gateway.enumeration: the same enumeration in every respect."""

import copy
import pickle
from enum import Enum, StrEnum

import pytest

from gateway.enumeration import quick
from gateway.phase import Phase


@quick
class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def test_members_are_what_they_are_without_it() -> None:
    assert list(Colour) == [Colour("red"), Colour("blue")]
    assert Colour.RED is Colour("red") is Colour["RED"]
    assert (Colour.RED.name, Colour.RED.value, str(Colour.RED)) == ("RED", "red", "red")
    assert vars(Colour)["RED"] is Colour.RED
    with pytest.raises(AttributeError):
        Colour.RED = Colour.BLUE  # type: ignore[misc]


def test_copies_are_the_member_itself() -> None:
    for member in Phase:
        assert isinstance(member, Enum)
        assert pickle.loads(pickle.dumps(member)) is member
        assert copy.deepcopy(member) is member
