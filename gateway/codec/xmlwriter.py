"""A tree to XML of the platform's shape: `<xml>` with one element for each field.

What XML cannot carry is written so that it can be read back where possible (names), and replaced where not
(control characters). No declaration, no indentation, keys in their order.
"""

import re

import msgspec

from gateway.catalogue.shape import Kind, Shape
from gateway.codec.jsontree import Tree
from gateway.codec.xmlparser import ITEM

# XML 1.0, production 2: everything else cannot stand in a document, not even as a character reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Letters that may begin a name in every edition of XML 1.0: the fifth allows many more, which parsers that
# keep to the fourth refuse, expat among them.
_LETTERS = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e"  # Latin
    "\u0388-\u038a\u038e-\u03a1\u03a3-\u03ce"  # Greek
    "\u0401-\u040c\u040e-\u044f\u0451-\u045c\u045e-\u0481\u0490-\u04c4"  # Cyrillic
    "\u0531-\u0556\u0561-\u0586\u10d0-\u10f6"  # Armenian, Georgian
    "\u05d0-\u05ea\u0621-\u063a\u0641-\u064a"  # Hebrew, Arabic
    "\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"  # Japanese, Chinese, Korean
)
# Without the colon, which would make a prefix.
_NAME = re.compile(f"[{_LETTERS}][{_LETTERS}.0-9-]*")


def write(tree: Tree, shape: Shape, *, mark_arrays: bool) -> bytes:
    """Write a document.

    `mark_arrays` puts `array='true'` on lists of one item: the platform takes the mark but never sends it.
    A tree that is no object has no place in the platform's shape; its items become nested `<xml>`.
    """
    writer = _Writer(mark_arrays)
    writer.element(ITEM, ITEM, tree, Shape(Kind.LIST, wrapped=True) if isinstance(tree, list) else shape)
    return "".join(writer.out).encode()


class _Writer:
    """Collects the pieces of one document."""

    def __init__(self, mark_arrays: bool) -> None:
        self.mark_arrays = mark_arrays
        self.out: list[str] = []

    def element(self, start: str, end: str, value: Tree, shape: Shape) -> None:
        """One element; `start` and `end` are what stands in its tags."""
        out = self.out
        if isinstance(value, str):
            out.append(f"<{start}>{_text(value)}</{end}>")
        elif value is None or (isinstance(value, dict | list) and not value):
            out.append(f"<{start}/>")
        elif isinstance(value, dict):
            out.append(f"<{start}>")
            for name, inner in value.items():
                self.field(name, inner, shape.field(name))
            out.append(f"</{end}>")
        elif isinstance(value, list):
            out.append(f"<{start}>")
            for item in value:
                self.element(ITEM, ITEM, item, shape.items)
            out.append(f"</{end}>")
        else:
            out.append(f"<{start}>{_scalar(value)}</{end}>")

    def field(self, name: str, value: Tree, shape: Shape) -> None:
        """A field of an object: one element, or one for each item of a list."""
        if _may_name_element(name):
            start = end = name
        else:
            start, end = f'entry key="{_attribute(name)}"', "entry"
        if not isinstance(value, list) or shape.wrapped or not value:
            self.element(start, end, value, shape)
            return
        if len(value) == 1 and self.mark_arrays:
            start += " array='true'"
        for item in value:
            self.element(start, end, item, shape.items)


def _may_name_element(name: str) -> bool:
    if name.isascii() and name.isidentifier():
        # A field named `xml` would read as a list's item.
        return name != ITEM
    return _NAME.fullmatch(name) is not None


def _scalar(value: int | msgspec.Raw) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else bytes(value).decode()


def _text(text: str) -> str:
    if not text.isprintable():
        # A bare carriage return would be read as a line feed (XML 1.0, section 2.11).
        return _escaped(_NOT_XML.sub("\ufffd", text)).replace("\r", "&#13;")
    return _escaped(text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    # Bare line breaks and tabs would be read as spaces (XML 1.0, section 3.3.3).
    return _text(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
