"""From plain data to Settings, or to every problem in it at once.

pydantic checks what holds between keys only once all keys are right, so the second mistake would come to
light after the first was mended. Therefore what is wrong is taken out and the rest is checked again; what the
taking out may itself have caused is not reported.
"""

import json
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.catalogue.model import Catalogue
from gateway.settings.environment import did_you_mean
from gateway.settings.merging import without
from gateway.settings.model import Settings
from gateway.settings.rules import conflicts
from gateway.settings.structure import KeyPath, hints_of, section_at


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with the data: at which path, and what. No value is ever part of the text."""

    path: KeyPath
    text: str


def validate(data: dict[str, Any], catalogue: Catalogue) -> tuple[Settings, tuple[Finding, ...]]:
    """What can be made of the data, and all that is wrong with it: only without findings is it to be used."""
    findings: list[Finding] = []
    settings: Settings | None = None
    while settings is None:
        try:
            settings = _parse(data)
        except ValidationError as error:
            found = _findings(error)
            findings += [finding for finding in found if not _touches(finding.path, findings)]
            data = _without_all(data, found)
    for conflict in conflicts(settings, catalogue):
        if not (_touches(conflict.path, findings) or _touches(conflict.other, findings)):
            findings.append(Finding(conflict.path, conflict.text))
    return settings, tuple(findings)


def _without_all(data: dict[str, Any], findings: list[Finding]) -> dict[str, Any]:
    rest = data
    for finding in findings:
        rest = without(rest, finding.path) if finding.path else {}
    return rest if rest != data else {}  # never the same again, or the search would not end


def _parse(data: dict[str, Any]) -> Settings:
    # By way of JSON, because pydantic's strictness fits there: "1" is no number, but "json" is a Format.
    return Settings.model_validate_json(json.dumps(data), strict=True)


def _findings(error: ValidationError) -> list[Finding]:
    # Never with the input: hide_input_in_errors cleans the text of the error, but not this list.
    details = error.errors(include_input=False, include_url=False)
    return [Finding(_path(detail), _text(detail)) for detail in details]


def _path(detail: ErrorDetails) -> KeyPath:
    location = detail["loc"]
    # What pydantic adds to say that it means the key and not its value.
    is_key = location[-1:] == ("[key]",) and detail["type"] != "extra_forbidden"
    return location[:-1] if is_key else location


def _text(detail: ErrorDetails) -> str:
    path = _path(detail)
    match detail["type"]:
        case "extra_forbidden":
            section = section_at(Settings, path[:-1])
            return "is not known" + did_you_mean(str(path[-1]), hints_of(section) if section else {})
        case "missing":
            return "is required"
        case "model_type" | "dict_type" | "mapping_type":
            return 'should be a map, as in {"key": "value"}'
        case "tuple_type":
            return 'should be a list, as in ["one", "two"]'
        case "json_invalid":
            return "cannot be written as JSON: a lone surrogate, or nesting without end"
        case _:
            return detail["msg"].removeprefix("Input ").removeprefix("String ")


def _touches(path: KeyPath, findings: list[Finding]) -> bool:
    """Whether a finding is about the same place, one above it or one below it."""
    return any(
        path[: len(finding.path)] == finding.path or finding.path[: len(path)] == path for finding in findings
    )
