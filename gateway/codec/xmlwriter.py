"""A tree to XML of the platform's shape: `<xml>` with one element for each field.

What XML cannot carry is written so that it can be read back where possible (names), and replaced where not
(control characters). No declaration, no indentation, keys in their order.
"""

import re
from collections.abc import Mapping

import msgspec

from gateway.catalogue.shape import ANY, Kind, Shape
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
_SCALARS = (int, msgspec.Raw)


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
        elif isinstance(value, _SCALARS):
            out.append(f"<{start}>{_scalar(value)}</{end}>")
        elif not value:
            out.append(f"<{start}/>")
        elif isinstance(value, dict):
            out.append(f"<{start}>")
            self.fields(value, shape.fields)
            out.append(f"</{end}>")
        else:
            out.append(f"<{start}>")
            for item in value:
                self.element(ITEM, ITEM, item, shape.items)
            out.append(f"</{end}>")

    def fields(self, tree: dict[str, Tree], known: Mapping[str, Shape]) -> None:
        """The fields of an object: an element for each, or one for each item of a list."""
        for name, value in tree.items():
            if name.isascii() and name.isidentifier() and name != ITEM:
                start = end = name
            else:
                start, end = _tags(name)
            if type(value) is str:  # as most are
                self.out.append(f"<{start}>{_text(value)}</{end}>")
            elif type(value) is list and value and not (inner := known.get(name, ANY)).wrapped:
                if len(value) == 1 and self.mark_arrays:
                    start += " array='true'"
                shape = inner.items
                for item in value:
                    self.element(start, end, item, shape)
            else:
                self.element(start, end, value, known.get(name, ANY))


def _tags(name: str) -> tuple[str, str]:
    """What stands in the tags of a field's element whose name is no plain one, or no name at all in XML."""
    # A field named `xml` would read as a list's item.
    if name != ITEM and _NAME.fullmatch(name):
        return name, name
    return f'entry key="{_attribute(name)}"', "entry"


def _scalar(value: int | msgspec.Raw) -> str:
    if type(value) is int:
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return bytes(value).decode()


def _text(text: str) -> str:
    if text.isprintable():  # nearly every text
        return _escaped(text) if "&" in text or "<" in text or ">" in text else text
    # A bare carriage return would be read as a line feed (XML 1.0, section 2.11).
    return _escaped(_NOT_XML.sub("\ufffd", text)).replace("\r", "&#13;")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    # Bare line breaks and tabs would be read as spaces (XML 1.0, section 3.3.3).
    return _text(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
