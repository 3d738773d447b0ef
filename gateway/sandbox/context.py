"""What a handler knows beside the state and the parameters."""

from dataclasses import dataclass

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.state import AnyItem, Shelf
from gateway.sandbox.tokens import Token


@dataclass(frozen=True, slots=True)
class Context:
    """Who calls, and when: `now` in seconds. `origin` is the call's scheme and host."""

    token: Token
    modifies: bool
    now: float
    origin: str
    task_seconds: float

    def pick(self, shelf: Shelf[AnyItem], item_id: int) -> AnyItem:
        """The object, if the token sees it.

        An object of another group is not found by a read (404) and refused to a write (441): the
        documentation has both codes and does not say which is for what.
        """
        item = shelf.get(item_id)
        if item is None:
            raise ApiError(Code.NOT_FOUND)
        if not self.token.sees(item.group):
            raise ApiError(Code.OTHER_GROUP if self.modifies else Code.NOT_FOUND)
        return item
