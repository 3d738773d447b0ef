"""XML that is nothing but elements and text, as programs write it: read without a parser.

expat calls back for every tag and every text. With one expression for an element and its text, a call is
read in less than half the time, and so is a long text in few tags. References are what expat is quicker with:
it keeps the documents that have many of them for their tags. What is read is a part of XML 1.0 that is easy
to be sure of: elements with ASCII names and no attributes, text, the five named references, a declaration in
front. Of anything else, and of all that is malformed or beyond a limit, nothing is said here: `xmlparser`
reads it, or says why it is refused. So one place refuses, and what both read is equal, as the tests hold them
to.
"""

import re

from gateway.codec.body import BodyLimits
from gateway.codec.xmlparser import SPACE, Content

MOST = 256 * 1024
"""Bytes of a document that is read here: all its tags are in memory before the first is looked at."""

# Nothing is tried twice (`*+`, `?+`): what is taken is right, or the document is not for here.
_NAME = "[A-Za-z_][A-Za-z0-9_.-]*+"
_TEXT = "[^<]*+"
_BLANKS = "[ \\t\\n]*+"
# Either a start tag, the text behind it and, where that ends the element, its end; or the end of an element
# that has elements in it. Else all the rest, as four times nothing: the document is not for here.
_PART = re.compile(
    rf"<(?:({_NAME})(?=/?>)(?:>({_TEXT}))?+(/>|</\1>)?+|/({_NAME})>){_BLANKS}|.+", re.ASCII | re.DOTALL
)
_DECLARATION = re.compile(
    rf"""<\?xml version=(["'])1\.0\1(?: encoding=(["'])[Uu][Tt][Ff]-8\2)?{_BLANKS}\?>{_BLANKS}"""
)
# What XML 1.0 has no place for (production 2), but for two characters that begin with \xef.
_FORBIDDEN = bytes(set(range(0x20)) - set(b"\t\n\r"))
_SELDOM = _FORBIDDEN + b"\r]\xef"
# Tables that make something else of them: so they are found in a fifth of the time that an expression takes.
_BUT_FORBIDDEN = bytes.maketrans(_FORBIDDEN, b" " * len(_FORBIDDEN))
_BUT_SELDOM = bytes.maketrans(_SELDOM, b" " * len(_SELDOM))
_OTHER_REFERENCE = re.compile("&(?!(?:amp|lt|gt|quot|apos);)")


def parse(body: bytes, limits: BodyLimits) -> "Content | None":
    """What is in the root element, as `xmlparser.parse` gives it; None when that has to read the document."""
    if len(body) > MOST or len(body) > limits.elements:
        return None
    has_references = body.find(b"&") >= 0  # half the time of `in`, which takes bytes for a number first
    if has_references and _is_for_expat(body):
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if body.translate(_BUT_SELDOM) != body:
        if body.translate(_BUT_FORBIDDEN) != body or "\ufffe" in text or "\uffff" in text:
            return None
        if "]]>" in text:  # may not stand in a text
            return None
        # As every parser reads line breaks (XML 1.0, section 2.11).
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("<?") and (declaration := _DECLARATION.match(text)):
        text = text[declaration.end() :]
    parts = _PART.findall(text)
    if has_references:
        if _OTHER_REFERENCE.search(text):
            return None
        parts = [part if "&" not in part[1] else (part[0], _resolved(part[1]), *part[2:]) for part in parts]
    return _put_together(parts, limits.depth)


def _is_for_expat(body: bytes) -> bool:
    """Whether expat is quicker with a document that has references in it: here a tag costs 250 ns less than
    there, but a reference 30 ns more, and a byte of the texts that are looked through for the five 3 ns."""
    room = 8 * body.count(b"<") - len(body) // 10
    return room < 0 or body.count(b"&") > room


def _resolved(text: str) -> str:
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
