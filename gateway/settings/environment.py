"""Settings from the environment: GATEWAY_<SECTION>__<KEY>, and GATEWAY_<KEY> at the top level.

A variable beats the file. Maps, lists and whole sections are written as JSON. A name with `__` that stands
for no setting is refused; one without is left alone, since Kubernetes puts names such as GATEWAY_SERVICE_HOST
into every container.
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any

from gateway.errors import Problem
from gateway.settings import structure
from gateway.settings.section import Section
from gateway.settings.structure import KeyPath, dotted

PREFIX = "GATEWAY_"


def variable(path: tuple[str, ...]) -> str:
    """The name of the variable for a key: GATEWAY_UPSTREAM__TIMEOUTS__TOTAL."""
    return PREFIX + "__".join(path).upper()


def place(name: str) -> str:
    """How a problem says that it is about a variable."""
    return f"environment:{name}"


class Overrides:
    """What an environment says: plain data for each key that is set, and what is wrong with its variables."""

    def __init__(self, model: type[Section], environ: Mapping[str, str]) -> None:
        self.values: list[tuple[KeyPath, str, Any]] = []  # path, variable, value; sections before their keys
        self.problems: list[Problem] = []
        known = {variable(path): (path, hint) for path, hint in structure.keys_of(model)}
        for name, (path, hint) in known.items():
            if name in environ:
                self._take(path, hint, name, environ[name])
        for name in sorted(environ.keys() - known.keys()):
            if name.startswith(PREFIX) and "__" in name:
                self._refuse_unknown(name, known)

    def _take(self, path: KeyPath, hint: Any, name: str, text: str) -> None:
        try:
            text.encode()  # the system's bytes that are no UTF-8 are surrogates here, which JSON cannot carry
            self.values.append((path, name, _value(hint, text)))
        except UnicodeEncodeError:
            self.problems.append(Problem(place(name), dotted(path), "is not UTF-8"))
        except _DoubledKeyError:
            self.problems.append(Problem(place(name), dotted(path), "has a key that is written twice"))

    def _refuse_unknown(self, name: str, known: Mapping[str, object]) -> None:
        key = name.removeprefix(PREFIX).replace("__", ".").lower()
        self.problems.append(Problem(place(name), key, "stands for no setting" + did_you_mean(name, known)))


class _DoubledKeyError(Exception):
    """A JSON object with a key twice, of which the last would win in silence."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise _DoubledKeyError
    return entries


def _value(hint: Any, text: str) -> Any:
    """The plain data that a variable's text stands for. What it cannot be is left for the model to refuse."""
    if text == "null" and structure.is_nullable(hint):
        return None
    if structure.is_text(hint):
        return text
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return text


def did_you_mean(name: str, known: Mapping[str, object]) -> str:
    """The end of a message about an unknown name, where there is one like it."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
