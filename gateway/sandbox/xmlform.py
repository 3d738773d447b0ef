"""XML bodies in the platform's shape, by the standard library's expat.

The shape (platform documentation, method pages): the root is `<xml>`, an object is its child elements, an
array repeats its element, `array='true'` marks an array of one item in a request, an empty element is an
empty array, null or empty text, and items of an array in an array (the `result` of profiles/add_batch) are
nested `<xml>` elements. Nothing is typed: every leaf is text.

It refuses DOCTYPEs before anything is expanded, every other attribute, namespaces and mixed content: a
request that needs them was not written for the platform.
"""

import re
from collections.abc import Container
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.values import Fields, Value

ITEM = "xml"
_MAX_DEPTH = 64
_BLANKS = " \t\r\n"  # XML 1.0, production 3: a no-break space is text
_NOT_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Most of XML 1.0, production 4, without the colon.
_LETTERS = "A-Za-z_\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u3001-\ud7ff"
_NAME = re.compile(f"[{_LETTERS}][{_LETTERS}0-9.-]*")


@dataclass
class _Element:
    name: str
    is_array: bool
    children: "list[_Element]" = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    pass


class _Builder:
    """Collects elements from expat's callbacks; `root` is the whole when parsing is over."""

    def __init__(self) -> None:
        self.root: _Element | None = None
        self._open: list[_Element] = []

    def declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0":
            raise _RefusedError(f"XML {version}")
        if (encoding or "utf-8").lower() != "utf-8":
            raise _RefusedError("the declared encoding is not UTF-8")

    def doctype(self, name: str, system_id: str | None, public_id: str | None, internal: int) -> None:
        raise _RefusedError("a DOCTYPE is not allowed")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            raise _RefusedError(f"the name {name} has a prefix")
        if attributes and attributes != {"array": "true"}:
            raise _RefusedError(f"<{name}> has attributes other than array='true'")
        if len(self._open) >= _MAX_DEPTH:
            raise _RefusedError("too deep")
        element = _Element(name, bool(attributes))
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def data(self, text: str) -> None:
        self._open[-1].text.append(text)

    def end(self, name: str) -> None:
        element = self._open.pop()
        is_root = not self._open
        if (element.children or is_root) and "".join(element.text).strip(_BLANKS):
            raise _RefusedError(f"<{name}> has text where only elements may stand")


def decode(body: bytes) -> Fields:
    """The object in `body`. Raises `ApiError` 400 when it is not XML in the platform's shape."""
    builder = _Builder()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.XmlDeclHandler = builder.declaration
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, _RefusedError) as error:
        raise ApiError(Code.INCORRECT_REQUEST, f"the body is not the platform's XML: {error}") from error
    root = builder.root
    if root is None or root.name != ITEM:
        raise ApiError(Code.INCORRECT_REQUEST, "the root element is not <xml>")
    return _object(root)


def _object(element: _Element) -> Fields:
    fields: Fields = {}
    arrays: dict[str, list[Value]] = {}
    for child in element.children:
        name, value = child.name, _value(child)
        if name in arrays:
            arrays[name].append(value)
        elif name in fields or child.is_array:
            arrays[name] = [fields[name], value] if name in fields else [value]
            fields[name] = arrays[name]
        else:
            fields[name] = value
    return fields


def _value(element: _Element) -> Value:
    if not element.children:
        return "".join(element.text)
    if all(child.name == ITEM for child in element.children):
        return [_value(child) for child in element.children]
    return _object(element)


def encode(fields: Fields, root: str = ITEM, nested: Container[str] = ()) -> bytes:
    """`fields` under `root`, without a declaration; lists named in `nested` keep their items in `<xml>`.

    Raises `ApiError` 500 for a field whose name cannot be an element's: the shape has no way to write it.
    """
    parts: list[str] = []
    _write(parts, root, fields, nested)
    return "".join(parts).encode()


def _write(parts: list[str], name: str, value: Value, nested: Container[str]) -> None:
    match value:
        case dict():
            parts.append(f"<{name}>")
            for key, item in value.items():
                # A field named `xml` would read as an item of a list.
                if key == ITEM or not _NAME.fullmatch(key):
                    raise ApiError(Code.INTERNAL, "the reply has a name that XML cannot carry")
                _write(parts, key, item, nested)
            parts.append(f"</{name}>")
        case list() if value and name in nested:
            _write_nested(parts, name, value, nested)
        case list() if value:
            for item in value:
                if isinstance(item, list) and item:
                    _write_nested(parts, name, item, nested)
                else:
                    _write(parts, name, item, nested)
        case None | [] | "":
            parts.append(f"<{name}/>")
        case bool():
            parts.append(f"<{name}>{'true' if value else 'false'}</{name}>")
        case _:
            text = _NOT_XML_CHARACTER.sub("\ufffd", str(value))
            # XML 1.0 section 2.11: a bare carriage return would be read as a line feed.
            parts.append(f"<{name}>{escape(text, {chr(13): '&#13;'})}</{name}>")


def _write_nested(parts: list[str], name: str, items: list[Value], nested: Container[str]) -> None:
    parts.append(f"<{name}>")
    _write(parts, ITEM, items, nested)
    parts.append(f"</{name}>")
