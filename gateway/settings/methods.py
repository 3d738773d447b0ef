"""Rules for single methods: what an operator lays over the catalogue, or adds to it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from gateway.catalogue.model import Effect, Repeats, Replay
from gateway.catalogue.shape import Kind
from gateway.settings.names import Table, Tag, TokenName
from gateway.settings.section import Section
from gateway.settings.spelling import Spelling, refusal
from gateway.settings.units import DURATION, Duration, Window

NOT_FOUND = 404
"""The platform's code for what does not exist: the one that a bare `negative_ttl` is about."""

_KINDS = frozenset(Kind) - {Kind.LIST}

Code = Annotated[int, Spelling("a platform code", ("404",), r"[1-9][0-9]{0,3}", int)]


def _by_code(value: Any) -> Any:
    return {str(NOT_FOUND): value} if isinstance(value, str) else value


def _check_type(node: object) -> None:
    """Refuse what is not of the catalogue's type grammar. Named shapes are looked up by the catalogue."""
    match node:
        case str() if node in _KINDS or (node.startswith("$") and node[1:].isidentifier()):
            return
        case [item] | ["wrapped", item]:
            _check_type(item)
        case Mapping():
            for field in node.values():
                _check_type(field)
        case _:
            kinds = ", ".join(sorted(_KINDS))
            raise refusal(f"a type should be one of {kinds}, $shape, [type] or {{field: type}}")


def _check_parameters(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise refusal("should be a map from parameter to type")
    _check_type(value)
    return value


CodeTimes = Annotated[
    Table[Code, Duration],
    BeforeValidator(_by_code),
    WithJsonSchema({"anyOf": [DURATION.schema, {"type": "object", "additionalProperties": DURATION.schema}]}),
]
"""Seconds by platform code; a bare duration in the file is about 404."""

Parameters = Annotated[
    Table[str, Any],
    BeforeValidator(_check_parameters),
    WithJsonSchema({"type": "object", "examples": [{"db_id": "integer", "tags": ["string"]}]}),
]
"""Parameter types as plain data, in the catalogue's grammar, which the catalogue makes shapes of."""


class MethodRule(Section):
    """How one method is treated. What is left out or null stays as the catalogue says."""

    effect: Effect | None = Field(
        default=None, description="What a call does; required for a method that is not known."
    )
    ttl: Duration | None = Field(default=None, description="How long an answer is fresh; 0s: not kept.")
    stale_while_revalidate: Duration | None = Field(
        default=None, description="After that, how long it is still given while a new one is fetched."
    )
    stale_if_error: Duration | None = Field(
        default=None, description="After that, how long it is given when the platform fails."
    )
    negative_ttl: CodeTimes | None = Field(
        default=None,
        description="How long an error code is kept, as in {404: 1s}; a bare duration is about 404.",
    )
    replay: Replay | None = Field(
        default=None, description="Which repeats without a key get the first answer again."
    )
    window: Window | None = Field(default=None, description="How long they do.")
    repeats: Repeats | None = Field(
        default=None, description="Whether a repeat's Request-ID is new, or made of the content."
    )
    tags: tuple[Tag, ...] | None = Field(
        default=None, description="What a read depends on; {x} is a parameter."
    )
    invalidates: tuple[Tag, ...] | None = Field(
        default=None, description="What a modifying call changes; {x} is a parameter."
    )
    token: TokenName | None = Field(
        default=None, description="The named token it is sent with; none: without a token."
    )
    allowed: bool | None = Field(default=None, description="false: answered with 403.")
    coalesce: bool | None = Field(
        default=None, description="Whether identical reads in flight are one call upstream."
    )
    parameters: Parameters | None = Field(
        default=None,
        description="Types of parameters, for XML: integer, number, boolean, string, any, object, [type].",
    )

    def changes(self) -> dict[str, object]:
        """The fields that the rule sets, by the names and in the values of `catalogue.model.ApiMethod`.

        Only `parameters` is still plain data.
        """
        fields = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: value for name, value in fields if value is not None}
