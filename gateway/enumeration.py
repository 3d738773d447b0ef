"""Enumerations whose members cost no more than any attribute.

Up to Python 3.11 a member that is read from its class (`State.OPEN`) goes through a descriptor written in
Python, which takes ten times as long; a call reads some sixty. Later versions put the member where this does.
"""

from enum import Enum
from typing import TypeVar

E = TypeVar("E", bound=type[Enum])


def quick(kind: E) -> E:
    """A decorator for an Enum: the same, with its members as plain attributes of the class."""
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)  # Enum's own refuses to set a member, even to itself
    return kind
