"""XML that is nothing but elements and text, as programs write it: read without a parser.

expat calls back for every tag and every text. With one expression for an element and its text, a call is
read in a third of the time. What is read is a part of XML 1.0 that is easy to be sure of: elements with ASCII
names and no attributes, text, the five named references, a declaration in front. Of anything else, and of all
that is malformed or beyond a limit, nothing is said here: `xmlparser` reads it, or says why it is refused. So
one place refuses, and what both read is equal, as the tests hold them to.
"""

import re

from gateway.codec.body import BodyLimits
from gateway.codec.xmlparser import SPACE, Content

MOST = 256 * 1024
"""Bytes of a document that is read here: all its tags are in memory before the first is looked at."""

# Nothing is tried twice (`*+`, `?+`): what is taken is right, or the document is not for here.
_NAME = "[A-Za-z_][A-Za-z0-9_.-]*+"
# Without what XML 1.0 has no place for (production 2), and without a carriage return.
_TEXT = "[^<\\x00-\\x08\\x0b-\\x1f\\ufffe\\uffff]*+"
_BLANKS = "[ \\t\\n]*+"
# Either a start tag, the text behind it and, where that ends the element, its end; or the end of an element
# that has elements in it. Else all the rest, as four times nothing: the document is not for here.
_PART = re.compile(
    rf"<(?:({_NAME})(?=/?>)(?:>({_TEXT}))?+(/>|</\1>)?+|/({_NAME})>){_BLANKS}|.+", re.ASCII | re.DOTALL
)
_DECLARATION = re.compile(
    rf"""<\?xml version=(["'])1\.0\1(?: encoding=(["'])[Uu][Tt][Ff]-8\2)?{_BLANKS}\?>{_BLANKS}"""
)
_OTHER_REFERENCE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")


def parse(body: bytes, limits: BodyLimits) -> "Content | None":
    """What is in the root element, as `xmlparser.parse` gives it; None when that has to read the document."""
    if len(body) > MOST or len(body) > limits.elements:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:  # as every parser reads line breaks (XML 1.0, section 2.11)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("<?") and (declaration := _DECLARATION.match(text)):
        text = text[declaration.end() :]
    if "]" in text and "]]>" in text:  # may not stand in a text
        return None
    parts = _PART.findall(text)
    if "&" in text:
        if _OTHER_REFERENCE.search(text):
            return None
        parts = [(name, _resolved(inner), end, ended) for name, inner, end, ended in parts]
    return _put_together(parts, limits.depth)


def _resolved(text: str) -> str:
    if "&" not in text:
        return text
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&apos;", "'")
    return text.replace("&amp;", "&")


def _put_together(parts: list[tuple[str, str, str, str]], depth: int) -> "Content | None":
    """`parts` are name, text, and the end of an element, or the name of one that is ended."""
    children: list[tuple[str, Content]] = []
    above: list[tuple[str, list[tuple[str, Content]]]] = []
    for name, text, end, ended in parts:
        if end:
            children.append((name, text))
        elif name:
            if text and text.strip(SPACE):
                return None
            above.append((name, children))
            if len(above) >= depth:
                return None
            children = []
        else:
            if not above:
                return None
            name, siblings = above.pop()
            if name != ended:
                return None
            siblings.append((name, children))
            children = siblings
    return children[0][1] if len(children) == 1 and not above else None
