"""The shipped catalogue: YAML files inside the package, one per family of methods, made into frozen values.

Strict, since a slip in these files is a slip in what the gateway promises: unknown keys, doubled keys, a
method in another family's file, a write that does not say what it changes are all refused. Nothing outside
the package is read; an operator's own rules come later, in `overriding`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from gateway.catalogue.entry import Fault, description, read, treatment
from gateway.catalogue.grammar import merged, shape_of
from gateway.catalogue.model import ApiMethod, Catalogue, Effect
from gateway.catalogue.shape import OBJECT, Shape

GUIDE = "https://guides.altcraft.com/en/"
"""The platform's guide; a `source` without spaces and without a scheme is a page below it."""

SHAPES = "shapes"


class CatalogueError(ValueError):
    """The shipped files cannot be used. Nobody can go on from that: it is a defect of a release."""


def load() -> Catalogue:
    """All methods that the package knows."""
    folder = files("gateway.catalogue") / "data"
    return build(
        {
            item.name.removesuffix(".yaml"): item.read_text("utf-8")
            for item in folder.iterdir()
            if item.name.endswith(".yaml")
        }
    )


def build(texts: Mapping[str, str]) -> Catalogue:
    """The catalogue out of YAML texts by family, with the named shapes under `shapes`."""
    documents = {family: _parse(family, text) for family, text in sorted(texts.items())}
    named = _named_shapes(documents.pop(SHAPES, {}))
    methods = {method.name: method for method in _methods(documents, named)}
    return Catalogue(MappingProxyType(methods), named)


def _named_shapes(nodes: Mapping[str, object]) -> Mapping[str, Shape]:
    named: dict[str, Shape] = {}
    for name, node in nodes.items():
        try:
            named[name] = shape_of(node, named)
        except ValueError as error:
            raise CatalogueError(f"{SHAPES}.yaml {name}: {error}") from None
    return MappingProxyType(named)


def _methods(
    documents: Mapping[str, Mapping[str, object]], named: Mapping[str, Shape]
) -> Iterator[ApiMethod]:
    readers = treatment(named) | description(named) | {"takes": lambda value: _taken(value, named)}
    for family, entries in documents.items():
        for name, entry in entries.items():
            if not isinstance(entry, dict):
                raise CatalogueError(f"{family}.yaml {name}: an entry is a mapping")
            values, faults = read(name, entry, readers)
            if not faults:
                method = _method(name, values)
                faults = list(_contradictions(family, method))
            if faults:
                raise CatalogueError(f"{family}.yaml " + "; ".join(map(str, faults)))
            yield method


def _taken(value: object, named: Mapping[str, Shape]) -> Shape:
    if not isinstance(value, list):
        raise ValueError("must be a list of named shapes")
    taken = OBJECT
    for name in value:
        taken = merged(taken, shape_of(f"${name}", named))
    return taken


def _method(name: str, values: dict[str, Any]) -> ApiMethod:
    taken, own = values.pop("takes", OBJECT), values.pop("parameters", OBJECT)
    source = values.get("source", "")
    if source and " " not in source and "://" not in source:
        values["source"] = GUIDE + source
    method = ApiMethod(name, Effect.MODIFY, parameters=merged(taken, own))
    return replace(method, **values)


def _contradictions(family: str, method: ApiMethod) -> Iterator[Fault]:
    if method.family != family:
        yield Fault(method.name, "", f"belongs into {method.family}.yaml")
    if not method.summary or not method.source:
        yield Fault(method.name, "", "has no summary or no source")
    if method.path and method.path.strip("/") != method.name:
        yield Fault(method.name, "path", "spells another method")
    if method.effect.modifies and not method.invalidates:
        yield Fault(method.name, "invalidates", "a write names what it changes")
    if method.effect.modifies and method.tags:
        yield Fault(method.name, "tags", "a write depends on nothing")
    if not method.effect.modifies and method.invalidates:
        yield Fault(method.name, "invalidates", "a read changes nothing")


class _Loader(yaml.CSafeLoader):
    """Refuses doubled keys, which YAML forbids and PyYAML lets pass (YAML 1.2 section 3.2.1.1)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            raise CatalogueError(f"a key is given twice, line {node.start_mark.line + 1} and below")
        return mapping


def _parse(family: str, text: str) -> dict[str, object]:
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a subclass of the safe loader
    except CatalogueError as error:
        raise CatalogueError(f"{family}.yaml: {error}") from None
    if not isinstance(document, dict):
        raise CatalogueError(f"{family}.yaml: must be a mapping of names to entries")
    return document
