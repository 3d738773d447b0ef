"""XML of the platform's shape to a tree: what is text, what is a list, what is a number.

XML has no types. Structure comes first (repeated and marked elements are lists, elements with children are
objects), then the catalogue's types; where neither tells, text stays text. Whatever has no meaning in this
shape (DOCTYPE, other attributes, prefixes, mixed content) is refused and never dropped.
"""

import re

import msgspec
from lxml import etree

from gateway.catalogue.shape import ANY, Kind, Shape
from gateway.codec.body import BodyLimits, MalformedBodyError, require_utf8
from gateway.codec.jsontree import Tree, is_integer

ITEM = "xml"
"""The element of a list's item where repeating the list's own element cannot tell: `<a><xml>1</xml></a>`."""

_SPACE = " \t\r\n"  # XML 1.0, production 3; str.strip() alone would also take a no-break space
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LEAVES = frozenset((Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN))
# Before the root only blanks, comments and instructions can stand (XML 1.0, productions 22 and 27);
# elsewhere the word is text, as in an e-mail template in a CDATA section. The
# groups are atomic, so nothing is tried twice.
_DOCTYPE = re.compile(rb"(?>(?:\xef\xbb\xbf)?)(?>[ \t\r\n]+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


def read(body: bytes, shape: Shape, limits: BodyLimits) -> dict[str, Tree]:
    """Read a document's fields, by the types that `shape` knows; the root may have any name.

    Raises MalformedBodyError for everything that is refused.
    """
    _require_plain(body, limits)
    root = _parse(body)
    if root.attrib:
        raise MalformedBodyError("the root element has attributes")
    return _object(root, shape, limits.depth - 1)


def _require_plain(body: bytes, limits: BodyLimits) -> None:
    """What can be refused before a parser sees it."""
    require_utf8(body)
    if b"\0" in body:
        # No XML has one; UTF-16 without a byte order mark has many, and a parser may guess it.
        raise MalformedBodyError("the body is not UTF-8")
    if b"<!DOCTYPE" in body and _DOCTYPE.match(body):
        raise MalformedBodyError("a DOCTYPE is not accepted")
    if len(body) > limits.elements and body.count(b"<") - body.count(b"</") > limits.elements:
        raise MalformedBodyError(f"the body has more than {limits.elements} elements")


def _parse(body: bytes) -> etree._Element:
    # A parser for each body: it costs about 1 µs, and a shared one would be locked between threads.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        # Else `<a>1<!-- x -->2</a>` would read as "1".
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        # libxml2's text quotes names out of the body; the position does not.
        line, column = error.position
        raise MalformedBodyError(f"the XML is malformed (line {line}, column {column})") from None
    if b"<?" in body or b"<!" in body:
        _require_declared(root)
    if b"xmlns" in body and any(element.nsmap for element in root.iter()):
        raise MalformedBodyError("XML namespaces are not accepted")
    return root


def _require_declared(root: etree._Element) -> None:
    document = root.getroottree().docinfo
    if document.internalDTD is not None:
        raise MalformedBodyError("a DOCTYPE is not accepted")
    if document.xml_version != "1.0":
        raise MalformedBodyError("only XML 1.0 is accepted")
    if (document.encoding or "utf-8").casefold() != "utf-8":
        raise MalformedBodyError("the XML declares an encoding other than UTF-8")


def _object(element: etree._Element, shape: Shape, depth: int) -> dict[str, Tree]:
    """The children of an element as an object's fields. `depth` is how many levels may still follow."""
    groups: dict[str, list[etree._Element]] = {}
    marked: set[str] = set()
    for child in _children(element, depth):
        name = child.tag
        if name[0] == "{" or child.attrib:
            name, mark = _name(child)
            if mark:
                marked.add(name)
        if name in groups:
            groups[name].append(child)
        else:
            groups[name] = [child]
    known = shape.fields
    fields: dict[str, Tree] = {}
    for name, group in groups.items():
        if name in known or name in marked or len(group) > 1:
            fields[name] = _field(group, known.get(name, ANY), name in marked, depth - 1)
        else:  # nothing known: what `_value` does, without the two calls that most elements would cost
            child = group[0]
            fields[name] = _object(child, ANY, depth - 1) if len(child) else child.text or ""
    return fields


def _children(element: etree._Element, depth: int) -> list[etree._Element]:
    """The children of an element that may hold nothing else but blanks."""
    children = list(element)
    if depth <= 0 and children:
        raise MalformedBodyError("the body is nested too deep")
    texts = [text for child in children if (text := child.tail)]
    if element.text:
        texts.append(element.text)
    if texts and "".join(texts).strip(_SPACE):
        raise MalformedBodyError("there is text where only elements may stand")
    return children


def _name(element: etree._Element) -> tuple[str, bool]:
    """The field that an element stands for, and whether it is marked as a list."""
    tag = element.tag
    if tag[0] == "{":
        raise MalformedBodyError("prefixed names are not accepted")
    # Names only: to ask for the values of 200 000 attributes takes lxml minutes, each from the list's start.
    if any(name != "array" and (name != "key" or tag != "entry") for name in element.keys()):  # noqa: SIM118
        raise MalformedBodyError("an element has an attribute other than array='true'")
    mark = element.get("array")
    if mark not in (None, "true"):
        raise MalformedBodyError("the attribute array has another value than 'true'")
    return element.get("key", tag), mark is not None


def _field(group: list[etree._Element], shape: Shape, marked: bool, depth: int) -> Tree:
    """The value of all elements with one name."""
    if len(group) == 1 and not marked and shape.kind is not Kind.LIST:
        return _value(group[0], shape, depth)
    if len(group) == 1 and shape.wrapped and _has_items(group[0]):
        return _items(group[0], shape, depth)
    if len(group) == 1 and not marked and _is_empty(group[0]):
        return []
    if len(group) == 1 and not marked and _is_object(group[0]) and shape.items.kind in _LEAVES:
        # Not a list of one text, but an object in the list's place: a functional value of the platform,
        # as in `<phones><action>add</action><value>…</value></phones>`.
        return _value(group[0], ANY, depth)
    item = shape.items if shape.kind is Kind.LIST else shape
    return [_item(element, item, depth) for element in group]


def _item(element: etree._Element, shape: Shape, depth: int) -> Tree:
    """One item of a list; inside a list, nested `<xml>` elements are a list too."""
    if _has_items(element):
        return _items(element, shape, depth)
    if shape.kind is Kind.LIST:
        return [] if _is_empty(element) else [_value(element, shape.items, depth)]
    return _value(element, shape, depth)


def _has_items(element: etree._Element) -> bool:
    return len(element) > 0 and all(child.tag == ITEM for child in element)


def _is_object(element: etree._Element) -> bool:
    return len(element) > 0 and not _has_items(element)


def _items(element: etree._Element, shape: Shape, depth: int) -> list[Tree]:
    item = shape.items if shape.kind is Kind.LIST else shape
    items: list[Tree] = []
    for child in _children(element, depth):
        _name(child)
        items.append(_item(child, item, depth - 1))
    return items


def _is_empty(element: etree._Element) -> bool:
    return not len(element) and not (element.text or "").strip(_SPACE)


def _value(element: etree._Element, shape: Shape, depth: int) -> Tree:
    """The value of one element that is not a list."""
    if len(element):
        return _object(element, shape, depth)
    return _leaf(element.text or "", shape.kind)


def _leaf(text: str, kind: Kind) -> Tree:
    if kind is Kind.ANY or kind is Kind.STRING:
        return text
    if not text or (kind is Kind.OBJECT and not text.strip(_SPACE)):
        return None
    if kind is Kind.BOOLEAN and text in ("true", "false"):
        return text == "true"
    if kind is Kind.INTEGER and is_integer(text):
        return msgspec.Raw(text)
    if kind is Kind.NUMBER and _JSON_NUMBER.fullmatch(text):
        return msgspec.Raw(text)
    return text
