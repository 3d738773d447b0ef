"""The way from a file and an environment to Settings: every problem at once, with its place, without a value.

`check`, `serve` and a reload all come through here, so that they cannot disagree. Nothing is read but the
file and the shipped catalogue: whether a token is there is not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.catalogue.loading import load as shipped_catalogue
from gateway.errors import UNPLACED, Problem, SettingsError
from gateway.settings import document, environment
from gateway.settings.merging import is_blocked, merged, nested, yielding
from gateway.settings.model import Settings
from gateway.settings.structure import KeyPath, dotted
from gateway.settings.validation import validate


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and where each was written, so that messages can point there."""

    settings: Settings
    places: Mapping[KeyPath, str]

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Something to say about what is at `path`."""
        return _problem(self.places, path, text)

    def placed(self, problem: Problem) -> Problem:
        """The problem with the line of its key, where whoever found it did not know the lines."""
        if problem.place != UNPLACED:
            return problem
        return self.problem(tuple(problem.key.split(".")), problem.text)


def find(option: str | None, environ: Mapping[str, str]) -> Path:
    """The file to load: the option `--config`, else $GATEWAY_CONFIG, else ./config.yaml."""
    return Path(option or environ.get("GATEWAY_CONFIG") or "config.yaml")


def load(file: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of `file`, those of the environment over them. Raises SettingsError with all problems."""
    return read(file, environ).settings


def read(file: Path, environ: Mapping[str, str]) -> Configuration:
    """As `load`, and with the places."""
    written = document.read(file)
    overrides = environment.Overrides(Settings, environ)
    above: dict[str, Any] = {}
    places = {(): f"{written.name}:1"} | {
        path: f"{written.name}:{line}" for path, line in written.lines.items()
    }
    for path, name, value in overrides.values:
        if not is_blocked(written.data, path, Settings):
            above = merged(above, nested(path, value))
            _place(places, path, value, environment.place(name))
    data = merged(yielding(written.data, above, Settings), above)
    settings, findings = validate(data, shipped_catalogue())
    found = (_problem(places, finding.path, finding.text) for finding in findings)
    problems = (*written.problems, *overrides.problems, *found)
    if problems:
        raise SettingsError(problems)
    return Configuration(settings, MappingProxyType(places))


def _problem(places: Mapping[KeyPath, str], path: KeyPath, text: str) -> Problem:
    """The place of what is not written is that of the nearest key above it."""
    depth = next(length for length in range(len(path), -1, -1) if path[:length] in places)
    return Problem(places[path[:depth]], dotted(path) or "file", text)


def _place(places: dict[KeyPath, str], path: KeyPath, value: Any, place: str) -> None:
    """Note that the variable at `place` set `value` at `path`, and all that is in it."""
    for length in range(1, len(path)):
        places.setdefault(path[:length], place)
    places[path] = place
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _place(places, (*path, key), inner, place)
