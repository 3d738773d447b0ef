"""Our XML read by two parsers that are not ours: lxml where names need it, ElementTree for the rest."""

from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.catalogue.shape import ANY, Kind, Shape
from gateway.codec import xmlwriter
from gateway.codec.jsontree import Tree


@given(st.text())
def test_any_text_gives_a_document_that_holds_it(text: str) -> None:
    read = ElementTree.fromstring(xmlwriter.write({"a": text}, ANY, mark_arrays=False)).findtext("a") or ""

    assert len(read) == len(text)
    assert all(mine == theirs or theirs == "\ufffd" for mine, theirs in zip(text, read, strict=True))


@given(st.text())
def test_any_name_gives_a_document_that_holds_it(name: str) -> None:
    [element] = etree.fromstring(xmlwriter.write({name: 1}, ANY, mark_arrays=False))
    read = element.attrib.get("key", element.tag)

    assert len(read) == len(name)
    assert all(mine == theirs or theirs == "\ufffd" for mine, theirs in zip(name, read, strict=True))


@pytest.mark.parametrize("text", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_carry_is_replaced(text: str) -> None:
    assert (
        xmlwriter.write({"a": f"x{text}y"}, ANY, mark_arrays=False) == "<xml><a>x\ufffdy</a></xml>".encode()
    )


@pytest.mark.parametrize("text", ["\t", "\n", "\x7f", "\x85", "\u2028", "\ufffd", "\U0001fffe", "\U0010ffff"])
def test_a_character_that_xml_can_carry_is_not(text: str) -> None:
    assert xmlwriter.write({"a": text}, ANY, mark_arrays=False) == f"<xml><a>{text}</a></xml>".encode()


@pytest.mark.parametrize("mark_arrays", [True, False])
def test_only_lists_of_one_item_are_marked_and_only_on_demand(mark_arrays: bool) -> None:
    document = ElementTree.fromstring(
        xmlwriter.write({"none": [], "one": [1], "two": [1, 2], "scalar": 1}, ANY, mark_arrays=mark_arrays)
    )

    marked = [element.tag for element in document if element.attrib]
    assert marked == (["one"] if mark_arrays else [])
    assert all(element.attrib in ({}, {"array": "true"}) for element in document)


def test_wrapped_lists_are_never_marked() -> None:
    shape = Shape(Kind.OBJECT, {"r": Shape(Kind.LIST, wrapped=True)})

    assert xmlwriter.write({"r": [1]}, shape, mark_arrays=True) == b"<xml><r><xml>1</xml></r></xml>"


def test_numbers_and_booleans_are_text() -> None:
    tree: dict[str, Tree] = {"a": msgspec.Raw(b"1.10"), "b": 10**30, "c": True, "d": False, "e": -1}

    assert xmlwriter.write(tree, ANY, mark_arrays=False) == (
        b"<xml><a>1.10</a><b>1000000000000000000000000000000</b><c>true</c><d>false</d><e>-1</e></xml>"
    )
