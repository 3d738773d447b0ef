"""YAML with lines: what data a file is, where its keys stand, what is refused."""

from pathlib import Path
from typing import Any

import pytest

from gateway.settings.document import Document, read


def document(tmp_path: Path, text: str) -> Document:
    file = tmp_path / "config.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    return read(file)


def problems(tmp_path: Path, text: str) -> list[str]:
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in document(tmp_path, text).problems]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# nothing\n", {}, id="only a comment"),
        pytest.param("---\n", {}, id="null"),
        pytest.param("\ufeffa: 1", {"a": 1}, id="byte order mark"),
        pytest.param(
            "{a: 1, b: 0.5, c: true, d: null, e: ~, f: x}",
            {"a": 1, "b": 0.5, "c": True, "d": None, "e": None, "f": "x"},
            id="types",
        ),
        pytest.param("a: 2026-11-23", {"a": "2026-11-23"}, id="a date stays text"),
        pytest.param("a: .inf", {"a": ".inf"}, id="infinity stays text"),
        pytest.param("a: !!int x", {"a": "x"}, id="what is no integer stays text"),
        pytest.param("a: !!int ''", {"a": ""}, id="nothing is no integer"),
        pytest.param("a: !!bool x", {"a": "x"}, id="what is no boolean stays text"),
        pytest.param("a: 0x_", {"a": "0x_"}, id="what is no hexadecimal number stays text"),
        pytest.param("a: " + "9" * 5000, {"a": "9" * 5000}, id="a number too long for Python stays text"),
        pytest.param("a: =", {"a": "="}, id="the value sign stays text"),
        pytest.param("{404: x, on: y, null: z}", {"404": "x", "on": "y", "null": "z"}, id="keys are text"),
        pytest.param("{a: &x {b: [1]}, c: *x}", {"a": {"b": [1]}, "c": {"b": [1]}}, id="alias"),
        pytest.param(
            "{a: &x {b: 1, c: 2}, d: {<<: *x, b: 3}}",
            {"a": {"b": 1, "c": 2}, "d": {"b": 3, "c": 2}},
            id="merge, own key before",
        ),
        pytest.param(
            "{a: &x {b: 1}, c: &y {b: 2, d: 3}, e: {<<: [*x, *y]}}",
            {"a": {"b": 1}, "c": {"b": 2, "d": 3}, "e": {"b": 1, "d": 3}},
            id="merge of two, the first wins",
        ),
    ],
)
def test_plain_data(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    found = document(tmp_path, text)
    assert (found.data, found.problems) == (data, [])


def test_every_key_and_item_has_its_line(tmp_path: Path) -> None:
    found = document(tmp_path, "a:\n  b: 1\n\n  c:\n    - x\n    - y: 2\nd: {e:\n  3}\n")
    assert found.lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 1): 6,
        ("a", "c", 1, "y"): 6,
        ("d",): 7,
        ("d", "e"): 7,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "config.yaml:3 a: is written twice, first in line 1", id="top"),
        pytest.param(
            "a:\n  b: 1\n  b: 1", "config.yaml:3 a.b: is written twice, first in line 2", id="nested"
        ),
        pytest.param(
            "a: [{b: 1,\nb: 1}]", "config.yaml:2 a.0.b: is written twice, first in line 1", id="in a list"
        ),
        pytest.param(
            "1: x\n'1': y", "config.yaml:2 1: is written twice, first in line 1", id="other spelling"
        ),
        pytest.param("? [a]\n: 1", "config.yaml:1 file: a key should be plain text", id="list as key"),
        pytest.param("x: {? {a: 1} : 1}", "config.yaml:1 x: a key should be plain text", id="map as key"),
        pytest.param("a: !x b", "config.yaml:1 a: a tag with `!` is not known here", id="tag on text"),
        pytest.param(
            "a: !!python/name:os.system ''", "config.yaml:1 a: a tag with `!` is not known here", id="python"
        ),
        pytest.param("a: !!set {b}", "config.yaml:1 a: a tag with `!` is not known here", id="tag on map"),
        pytest.param("a: !x [b]", "config.yaml:1 a: a tag with `!` is not known here", id="tag on list"),
        pytest.param("- a", "config.yaml:1 file: should be a map of sections", id="list"),
        pytest.param("\nsome words", "config.yaml:2 file: should be a map of sections", id="text"),
        pytest.param(
            "a: {<<: 5}", "config.yaml:1 <<: should name a map, or a list of maps", id="merge of a number"
        ),
        pytest.param(
            "a: 1\n b: 2", "config.yaml:2 syntax: is not valid YAML: mapping values", id="indentation"
        ),
        pytest.param(
            "a: 'x", "config.yaml:1 syntax: is not valid YAML: found unexpected end", id="open quote"
        ),
        pytest.param(
            "a: 1\n---\nb: 2", "config.yaml:2 syntax: is not valid YAML: but found another", id="two"
        ),
        pytest.param(
            "a: \x01", "config.yaml:1 syntax: is not valid YAML: a character that", id="control character"
        ),
        pytest.param("a: \ud800", "config.yaml:1 file: is not UTF-8", id="encoding"),
    ],
)
def test_what_is_refused_with_its_line(tmp_path: Path, text: str, line: str) -> None:
    [found] = problems(tmp_path, text)
    assert found.startswith(line)


def test_a_missing_file_is_one_clear_problem(tmp_path: Path) -> None:
    [problem] = read(tmp_path / "none.yaml").problems
    assert str(problem) == (
        f"{tmp_path}/none.yaml file: is not there; --config FILE or $GATEWAY_CONFIG names another"
    )


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    [problem] = read(tmp_path).problems
    assert problem.text == "cannot be read: Is a directory"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
                for old, new in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            id="lists of aliases",
        ),
        pytest.param(
            "a: &a {x: 1}\n"
            + "".join(
                f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 10)}]}}\n"
                for old, new in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            id="merges of merges",
        ),
        pytest.param("a: &a {b: *a}", id="a map in itself"),
        pytest.param("a: &a {<<: *a}", id="a map merged into itself"),
        pytest.param("a: " + "[" * 200 + "]" * 200, id="deep nesting"),
    ],
)
def test_what_unfolds_without_end_is_refused(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == ["config.yaml:1 file: unfolds to more than a configuration can need"]
