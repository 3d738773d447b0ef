"""What is awaited of a caller on one connection: one thing at a time, and each has its own patience."""

from enum import Enum


class Phase(Enum):
    """What is awaited of the caller."""

    HEAD = "head"  # the rest of a head, or a new connection's first one
    BODY = "body"
    NOTHING = "nothing"  # it waits for its answer
    NEXT = "next"  # another request, if there is one
    END = "end"  # that it hangs up: nothing that it sends is read any more


HEAD, BODY, NOTHING, NEXT, END = Phase
"""By name: before Python 3.12, reading a member from its class takes as long as a call."""
