"""The JSON Schema of config.yaml, made from the model, for editors and for `gateway schema`."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from gateway.settings.model import Settings


class _Generator(GenerateJsonSchema):
    """pydantic's schema as an operator needs it: defaults spelt as in the file, no titles made from names."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        serialization = schema["schema"].get("serialization")
        if serialization and "function" in serialization and "default" in made:
            made["default"] = serialization["function"](schema["default"])
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> dict[str, Any]:
    """The schema, as committed in config.schema.json."""
    return {"$schema": _Generator.schema_dialect, **Settings.model_json_schema(schema_generator=_Generator)}
