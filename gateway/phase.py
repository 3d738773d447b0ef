"""What is awaited of a caller on one connection: one thing at a time, and each has its own patience."""

from enum import Enum

from gateway.enumeration import quick


@quick
class Phase(Enum):
    """What is awaited of the caller."""

    HEAD = "head"  # the rest of a head, or a new connection's first one
    BODY = "body"
    NOTHING = "nothing"  # it waits for its answer
    NEXT = "next"  # another request, if there is one
    END = "end"  # that it hangs up: nothing that it sends is read any more
