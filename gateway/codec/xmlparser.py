"""An XML document as elements: expat's events put together, and everything refused that has no meaning here.

Refused as soon as it is seen: a DOCTYPE (so nothing is ever expanded), another encoding or version, prefixes,
attributes other than the platform's mark, too deep a document, text beside elements. Comments and processing
instructions count for nothing.

expat forgets a document with its parser. libxml2 as lxml uses it keeps every name that it ever saw, and
names may come from data: memory would grow for as long as the process lives.
"""

import re
from typing import Any, NoReturn, TypeAlias
from xml.parsers import expat

from gateway.codec.body import BodyLimits, MalformedBodyError, require_utf8

ITEM = "xml"
"""The element of a list's item where repeating the list's own element cannot tell: `<a><xml>1</xml></a>`."""

SPACE = " \t\r\n"
"""XML 1.0, production 3; str.strip() alone would also take a no-break space."""

_ENTRY = "entry"
# Before the root only blanks, comments and instructions can stand (XML 1.0, productions 22 and 27);
# elsewhere the word is text, as in an e-mail template in a CDATA section. The
# groups are atomic, so nothing is tried twice.
_DOCTYPE = re.compile(rb"(?>(?:\xef\xbb\xbf)?)(?>[ \t\r\n]+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


class Attributed:
    """An element with attributes: it is marked as a list, or its field is named by a key.

    `is_item` is told by the tag, not by the name: `<entry key="xml">` is a field with that name.
    """

    __slots__ = ("content", "is_item", "marked")

    def __init__(self, marked: bool, is_item: bool) -> None:
        self.content: str | list[tuple[str, Content]] = ""
        self.marked = marked
        self.is_item = is_item


Content: TypeAlias = "str | list[tuple[str, Content]] | Attributed"
"""What is in an element: its text, or the elements in it with the names of their fields, at least one.

Nothing but strings, lists and pairs for what nearly every document is made of: a value of a class for each
element took as long as parsing it.
"""


def _require_blank(text: str) -> None:
    if text.strip(SPACE):
        raise MalformedBodyError("there is text where only elements may stand")


def parse(body: bytes, limits: BodyLimits) -> Content:
    """What is in the root element. Raises MalformedBodyError for everything that is refused."""
    _require_plain(body, limits)
    top: list[tuple[str, Content]] = []
    parser = _parser(top, limits.depth)
    if len(body) > parser.buffer_size:
        parser.buffer_size = len(body)  # so that every text comes in one piece
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        # The position says enough; a parser's words may quote the body.
        raise MalformedBodyError(
            f"the XML is malformed (line {error.lineno}, column {error.offset + 1})"
        ) from None
    return top[0][1]


def _require_plain(body: bytes, limits: BodyLimits) -> None:
    """What can be refused before a parser sees it."""
    require_utf8(body)
    if b"\0" in body:
        # No XML has one; UTF-16 without a byte order mark has many.
        raise MalformedBodyError("the body is not UTF-8")
    if b"<!DOCTYPE" in body and _DOCTYPE.match(body):
        raise MalformedBodyError("a DOCTYPE is not accepted")
    if len(body) > limits.elements and body.count(b"<") - body.count(b"</") > limits.elements:
        raise MalformedBodyError(f"the body has more than {limits.elements} elements")


def _parser(top: list[tuple[str, Content]], depth: int) -> expat.XMLParserType:
    """A parser that puts the root into `top`. What a handler raises ends the parsing: expat runs on to the
    end of the bytes without calling anything."""
    above: list[tuple[str, Attributed | None, list[tuple[str, Content]]]] = []
    children = top  # those of the element that is open
    text = ""  # its text, as long as it has no children

    def start(tag: str, attributes: list[str]) -> None:
        nonlocal children, text
        if len(above) >= depth:
            raise MalformedBodyError("the body is nested too deep")
        name, attributed = tag, None
        if attributes or ":" in tag:
            if not above:
                _require_plain_root(attributes)
            name, marked = _name(tag, attributes)
            attributed = Attributed(marked, tag == ITEM)
        if text:
            _require_blank(text)
            text = ""
        above.append((name, attributed, children))
        children = []

    def say(piece: str) -> None:
        nonlocal text
        if children:
            _require_blank(piece)  # it separates elements
        else:
            text += piece

    def end(_: str) -> None:
        nonlocal children, text
        name, attributed, siblings = above.pop()
        if attributed is None:
            siblings.append((name, children or text))
        else:
            attributed.content = children or text
            siblings.append((name, attributed))
        children = siblings
        text = ""

    # The encoding is said, not guessed: a declaration of another one is refused below.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = say
    parser.XmlDeclHandler = _declared
    parser.StartDoctypeDeclHandler = _doctype
    return parser


def _declared(version: str, encoding: str | None, _: int) -> None:
    if version != "1.0":
        raise MalformedBodyError("only XML 1.0 is accepted")
    if encoding is not None and encoding.casefold() != "utf-8":
        raise MalformedBodyError("the XML declares an encoding other than UTF-8")


def _doctype(*_: Any) -> NoReturn:
    raise MalformedBodyError("a DOCTYPE is not accepted")


def _require_plain_root(attributes: list[str]) -> None:
    if any(name.startswith("xmlns") for name in attributes[::2]):
        raise MalformedBodyError("XML namespaces are not accepted")
    if attributes:
        raise MalformedBodyError("the root element has attributes")


def _name(tag: str, attributes: list[str]) -> tuple[str, bool]:
    """The field that an element stands for, and whether it is marked as a list."""
    if ":" in tag:
        raise MalformedBodyError("prefixed names are not accepted")
    field, marked = tag, False
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if name == "array":
            if value != "true":
                raise MalformedBodyError("the attribute array has another value than 'true'")
            marked = True
        elif name == "key" and tag == _ENTRY:
            field = value
        elif name.startswith("xmlns"):
            raise MalformedBodyError("XML namespaces are not accepted")
        else:
            raise MalformedBodyError("an element has an attribute other than array='true'")
    return field, marked
