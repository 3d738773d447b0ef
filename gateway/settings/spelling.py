"""Values that are written as text in a particular way: how they are read, described and written back.

A refusal says how the value should be written and never shows what was written: it might be a token that
landed under the wrong key.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class Spelling:
    """Metadata for `Annotated`: the field holds what `read` makes of the text.

    `pattern` has to match the whole text before `read` sees it, and is what editors get to know. ValueError
    from `read` is for what the pattern cannot tell. Operators see its message: it must not quote the text.
    """

    kind: str  # in a reader's words: "a duration"
    examples: tuple[str, ...]
    pattern: str
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.schema

    def validate(self, value: object) -> Any:
        """What the text stands for. Raises pydantic's error, with `hint` unless `read` knows better."""
        if not isinstance(value, str) or re.fullmatch(self.pattern, value) is None:
            raise refusal(self.hint)
        try:
            return self.read(value)
        except ValueError as error:
            raise refusal(str(error)) from None

    @property
    def schema(self) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^({self.pattern})$", "examples": list(self.examples)}

    @property
    def hint(self) -> str:
        return f"should be {self.kind}, such as {' or '.join(self.examples)}"


def refusal(text: str) -> PydanticCustomError:
    """The error that a validator raises to say `text` to the operator, word for word."""
    # The text goes in through a placeholder, since braces in the template itself would be taken for one.
    return PydanticCustomError("refused", "{text}", {"text": text})
