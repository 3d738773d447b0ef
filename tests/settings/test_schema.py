"""The JSON Schema, judged by an independent validator."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gateway.settings.schema import schema

ROOT = Path(__file__).parents[2]


def errors(data: Any) -> list[str]:
    return [error.json_path for error in jsonschema.Draft202012Validator(schema()).iter_errors(data)]


def test_the_committed_schema_is_the_models() -> None:
    """If this fails: gateway schema > config.schema.json"""
    assert json.loads((ROOT / "config.schema.json").read_text("utf-8")) == schema()


def test_it_is_a_schema_of_its_dialect() -> None:
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_shipped_file_fits() -> None:
    assert errors(yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"token": {"vault": {"path": "p", "key": "k"}}, "tokens": {"r": {"file": "/f"}}},
        {
            "methods": {
                "profiles/get": {
                    "ttl": "5s",
                    "negative_ttl": "1s",
                    "replay": "always",
                    "tags": ["db:{db_id}"],
                }
            }
        },
        {"methods": {"a": {"negative_ttl": {"404": "1s"}, "parameters": {"b": ["integer"]}, "ttl": None}}},
        {"accounts": {"eu": {"base_url": "https://h/x", "token": {"env": "E"}}}},
        {"upstream": {"request_id_header": None}, "dedup": {"journal": "/j"}},
    ],
)
def test_what_the_gateway_takes_fits(data: dict[str, Any]) -> None:
    assert errors(data) == []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"cahce": {}}, "$"),
        ({"upstream": {"timeouts": {"total": 60}}}, "$.upstream.timeouts.total"),
        ({"limits": {"body_bytes": "10MB"}}, "$.limits.body_bytes"),
        ({"token": "literal"}, "$.token"),
        ({"log": {"level": "loud"}}, "$.log.level"),
        ({"listen": {"port": 70000}}, "$.listen.port"),
        ({"accounts": {"eu": {}}}, "$.accounts.eu"),
        ({"methods": {"a": {"negative_ttl": {"404": 1}}}}, "$.methods.a.negative_ttl"),
    ],
)
def test_an_editor_marks_the_place(data: dict[str, Any], place: str) -> None:
    assert set(errors(data)) == {place}


def test_defaults_are_spelt_as_in_the_file() -> None:
    sections = schema()["$defs"]
    assert sections["Timeouts"]["properties"]["total"]["default"] == "1m"
    assert sections["Limits"]["properties"]["body_bytes"]["default"] == "10MiB"
    assert schema()["properties"]["drain"]["default"] == {"delay": "0s", "timeout": "30s"}


def test_every_key_says_what_it_is_for() -> None:
    sections = [schema(), *schema()["$defs"].values()]
    keys = [
        (section["title"], key, rule)
        for section in sections
        for key, rule in section.get("properties", {}).items()
    ]
    assert len(keys) > 80
    assert [key for *key, rule in keys if "description" not in rule and "$ref" not in rule] == []
