"""config.yaml as plain data with the line of every key.

Refused here: keys written twice (YAML lets the last one win in silence), keys that are no plain text, tags,
and a file that unfolds by aliases to more than a configuration can need. Scalars that are no boolean, number
or null stay text, dates too; keys always are text: `404` and `on` are the keys "404" and "on".
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import Problem
from gateway.settings.structure import KeyPath, dotted

_MOST_NODES = 20_000
_DEEPEST = 50

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_TYPED = frozenset({_TAG + kind for kind in ("null", "bool", "int", "float")})
# What YAML may see in a plain scalar besides; the settings have no such types.
_TEXT = frozenset({_TAG + kind for kind in ("str", "timestamp", "value")})


@dataclass(slots=True)
class Document:
    """What a file says: plain data, the line of each path in it, and what is wrong with it as YAML."""

    name: str  # the file, as in "config.yaml"
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, path: KeyPath | str, text: str) -> None:
        key = path if isinstance(path, str) else dotted(path)
        self.problems.append(Problem(f"{self.name}:{line}", key, text))


def read(file: Path) -> Document:
    """The document in `file`; one that cannot be read or is no YAML has no data, and `problems` says why."""
    document = Document(str(file))
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        text = "is not there; --config FILE or $GATEWAY_CONFIG names another"
        document.problems.append(Problem(document.name, "file", text))
    except OSError as error:
        document.refuse(1, "file", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        document.refuse(1, "file", "is not UTF-8")
    else:
        _parse(text, document)
    return document


def _parse(text: str, document: Document) -> None:
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        # Only what the parser says in its own words: a piece of the file might be a token.
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "a character that YAML does not allow"
        document.refuse(mark.line + 1 if mark else 1, "syntax", f"is not valid YAML: {problem}")
        return
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _TAG + "null"):
        return  # an empty file: everything is as by default
    if not isinstance(root, yaml.MappingNode):
        document.refuse(_line(root), "file", "should be a map of sections")
        return
    try:
        document.data = _Reader(document).mapping(root, ())
    except _TooLargeError:
        document.refuse(1, "file", "unfolds to more than a configuration can need")


class _TooLargeError(Exception):
    """The document is too deep or has too many nodes, most likely by aliases within aliases."""


class _Reader:
    """Makes plain data of YAML's nodes. An aliased node is read at each place that it stands for."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._count(len(path))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        assert isinstance(node, yaml.ScalarNode)  # YAML has no fourth kind
        return self._scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self._check_tag(node, path, "map")
        result: dict[str, Any] = {}
        for key_node, value_node, merged in self._pairs(node):
            if not isinstance(key_node, yaml.ScalarNode):
                self._document.refuse(_line(key_node), path or "file", "a key should be plain text")
                continue
            key = str(key_node.value)
            place = (*path, key)
            if key not in result:
                self._document.lines[place] = _line(key_node)
                result[key] = self.value(value_node, place)
            elif not merged:
                first = self._document.lines[place]
                self._document.refuse(_line(key_node), place, f"is written twice, first in line {first}")
        return result

    def _pairs(self, node: yaml.MappingNode, depth: int = 0) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """The map's own pairs, then those that `<<` brings in: they count only where no other has the key."""
        self._count(depth)
        sources: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                sources += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            else:
                yield key_node, value_node, depth > 0
        for source in sources:
            if isinstance(source, yaml.MappingNode):
                yield from self._pairs(source, depth + 1)
            else:
                self._document.refuse(_line(source), "<<", "should name a map, or a list of maps")

    def _count(self, depth: int) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES or depth > _DEEPEST:
            raise _TooLargeError

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        self._check_tag(node, path, "seq")
        result = []
        for index, item in enumerate(node.value):
            self._document.lines[(*path, index)] = _line(item)
            result.append(self.value(item, (*path, index)))
        return result

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if node.tag in _TYPED:
            return _typed(node)
        if node.tag not in _TEXT:
            self._refuse_tag(node, path)
        return node.value

    def _check_tag(self, node: yaml.Node, path: KeyPath, kind: str) -> None:
        if node.tag != _TAG + kind:
            self._refuse_tag(node, path)

    def _refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        self._document.refuse(_line(node), path or "file", "a tag with `!` is not known here")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _typed(node: yaml.ScalarNode) -> Any:
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, KeyError, IndexError):  # `!!int x`, `!!bool x`, `!!int ""`
        return node.value
    return node.value if isinstance(value, float) and not math.isfinite(value) else value
