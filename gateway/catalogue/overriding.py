"""An operator's method rules, laid over the catalogue.

A rule changes only the fields it gives; a rule for an unknown name makes a new method. All faults of all
rules are found in one go. Names of tokens are not looked up here: which ones exist is known to the settings.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.catalogue.entry import Fault, read, treatment
from gateway.catalogue.grammar import merged
from gateway.catalogue.model import ApiMethod, Catalogue, unknown_method
from gateway.catalogue.template import EVERYTHING

_OF_READS = frozenset({"ttl", "stale_while_revalidate", "stale_if_error", "negative_ttl", "coalesce"})
_OF_WRITES = frozenset({"replay", "window", "repeats"})
_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


class MethodRulesError(ValueError):
    """Rules that cannot be laid over the catalogue, with every fault they have."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def override(catalogue: Catalogue, rules: Mapping[str, Mapping[str, object]]) -> Catalogue:
    """The catalogue under `rules` by method name; raises MethodRulesError.

    A rule speaks in the terms of `ApiMethod`: times in seconds, `negative_ttl` as codes to seconds. Only its
    `parameters` are plain data in the catalogue's grammar; they are added to those known of the method.
    """
    readers = treatment(catalogue.shapes)
    methods = dict(catalogue.methods)
    faults: list[Fault] = []
    for name, rule in rules.items():
        values, found = read(name, rule, readers)
        method = catalogue.find(name)
        found += _missing(name, method, rule)
        if not found:
            methods[name] = _under(method or unknown_method(name), values)
            found += _contradictions(methods[name], values)
        faults += found
    if faults:
        raise MethodRulesError(tuple(faults))
    return replace(catalogue, methods=MappingProxyType(methods))


def _missing(name: str, method: ApiMethod | None, rule: Mapping[str, object]) -> Iterator[Fault]:
    if _NAME.fullmatch(name) is None:
        yield Fault(name, "", "is not a method's name: write it as profiles/get, without slashes around it")
    elif method is None and "effect" not in rule:
        yield Fault(name, "effect", "is needed, since the catalogue does not know the method")


def _contradictions(method: ApiMethod, values: Mapping[str, object]) -> Iterator[Fault]:
    if method.effect.modifies and "tags" in values:
        yield Fault(method.name, "tags", "are for reads, and this method modifies: use invalidates")
    if not method.effect.modifies and "invalidates" in values:
        yield Fault(method.name, "invalidates", "is for writes, and this method reads: use tags")
    other, text = (
        (_OF_READS, "is about answers of reads, and this method modifies: nothing of it is kept")
        if method.effect.modifies
        else (_OF_WRITES, "is about repeats of writes, and this method reads")
    )
    yield from (Fault(method.name, key, text) for key in values if key in other)


def _under(method: ApiMethod, values: dict[str, Any]) -> ApiMethod:
    if "parameters" in values:
        values["parameters"] = merged(method.parameters, values["parameters"])
    changed = replace(method, known=True, **values)
    if not changed.effect.modifies:
        return replace(changed, invalidates=())
    # A read declared to be a write has never said what it changes: anything, until `invalidates` says less.
    untold = not method.effect.modifies and "invalidates" not in values
    return replace(changed, tags=(), invalidates=(EVERYTHING,) if untold else changed.invalidates)
