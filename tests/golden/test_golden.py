"""The conversions by example: every `.case` file is one promise, in the folder of its direction.

A case is: comments with `#`, perhaps `shape: {...}` with the types that a catalogue would know, a line of ten
dashes, the input, ten dashes, and what must come out, or `error: ` and the text of the refusal. Adding one
needs no code. Expected texts are written by hand.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.catalogue.shape import Kind, Shape
from gateway.codec import jsonbody, reply, tokenslot, xmlbody
from gateway.codec.body import BodyLimits, MalformedBodyError

FOLDER = Path(__file__).parent
LIMITS = BodyLimits(depth=64, elements=2_000_000)
SEPARATOR = "\n----------\n"


@dataclass(frozen=True)
class Case:
    shape: Shape
    given: bytes
    expected: str


def read_case(path: Path) -> Case:
    head, given, expected = ("\n" + path.read_text(encoding="utf-8")).split(SEPARATOR)
    known = [line.removeprefix("shape: ") for line in head.splitlines() if line.startswith("shape: ")]
    fields = json.loads(known[0]) if known else {}
    return Case(read_shape({"object": fields}), given.encode(), expected.removesuffix("\n"))


def read_shape(written: Any) -> Shape:
    if isinstance(written, str):
        return Shape(Kind(written))
    [(kind, inner)] = written.items()
    if kind == "object":
        return Shape(Kind.OBJECT, {name: read_shape(field) for name, field in inner.items()})
    return Shape(Kind.LIST, item=read_shape(inner), wrapped=kind == "wrapped")


def request_xml_to_json(case: Case) -> bytes:
    return jsonbody.encode(xmlbody.decode(case.given, case.shape, LIMITS))


def request_json_to_xml(case: Case) -> bytes:
    return xmlbody.encode(jsonbody.decode(case.given, LIMITS), case.shape)


def reply_json_to_xml(case: Case) -> bytes:
    return reply.to_xml(case.given, case.shape)


def reply_xml_to_json(case: Case) -> bytes:
    return reply.to_json(case.given, case.shape, LIMITS)


def token_in_json(case: Case) -> bytes:
    return jsonbody.encode(tokenslot.place(jsonbody.decode(case.given, LIMITS), "OURS"))


def token_in_xml(case: Case) -> bytes:
    return jsonbody.encode(tokenslot.place(xmlbody.decode(case.given, case.shape, LIMITS), "OURS"))


DIRECTIONS: tuple[Callable[[Case], bytes], ...] = (
    request_xml_to_json,
    request_json_to_xml,
    reply_json_to_xml,
    reply_xml_to_json,
    token_in_json,
    token_in_xml,
)
CASES = [
    pytest.param(convert, path, id=f"{convert.__name__}/{path.stem}")
    for convert in DIRECTIONS
    for path in sorted((FOLDER / convert.__name__).glob("*.case"))
]


@pytest.mark.parametrize(("convert", "path"), CASES)
def test_case(convert: Callable[[Case], bytes], path: Path) -> None:
    case = read_case(path)
    if case.expected.startswith("error: "):
        with pytest.raises(MalformedBodyError) as refusal:
            convert(case)
        assert f"error: {refusal.value}" == case.expected
    else:
        assert convert(case).decode() == case.expected


def test_every_case_is_in_a_folder_that_is_run() -> None:
    assert len(CASES) == len(list(FOLDER.rglob("*.case")))
    assert len(CASES) >= 60
