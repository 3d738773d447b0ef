"""Bodies for hypothesis: nearly right, so that they get far."""

import json
from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from(
    ["a", "b", "c", "d", "e", "f", "g", "token", "Token", "to\u212aen", "token\0x", "format", "xml", "é", ""]
)
NUMBERS = st.sampled_from(["0", "-0", "1", "1.0", "1.10", "1e2", "1E+2", "1e400", "9" * 30, "-7", "0.1"])
TEXTS = st.sampled_from(
    ["", "1", "true", " ", "token", '"', "\\", "é😀", "\u2028", ":", "a:1", "[{", "\x7f"]
) | st.text(st.characters(codec="utf-8"), max_size=8)


@st.composite
def json_text(draw: st.DrawFn, value: st.SearchStrategy[str]) -> str:
    members = draw(st.lists(st.tuples(NAMES, value), max_size=4))
    blank = draw(st.sampled_from(["", " ", "\n"]))
    return "{" + f",{blank}".join(f"{spelt(draw, name)}:{blank}{inner}" for name, inner in members) + "}"


def spelt(draw: st.DrawFn, text: str) -> str:
    """A JSON string in one of its spellings."""
    how = draw(st.integers(0, 2))
    if how == 0:
        return json.dumps(text)
    if how == 1:
        return json.dumps(text, ensure_ascii=False)
    units = text.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
    return '"' + "".join(f"\\u{unit}" for unit in units) + '"'


@st.composite
def json_string(draw: st.DrawFn) -> str:
    return spelt(draw, draw(TEXTS))


JSON_VALUES: st.SearchStrategy[str] = st.recursive(
    NUMBERS | st.sampled_from(["true", "false", "null"]) | json_string(),
    lambda inner: (
        json_text(inner) | st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]")
    ),
    max_leaves=8,
)
JSON_BODIES = json_text(JSON_VALUES).map(str.encode)

XML_NAMES = st.sampled_from(
    ["a", "b", "c", "d", "e", "f", "g", "xml", "entry", "token", "Token", "x:a", "имя"]
)
XML_TEXTS = st.sampled_from(
    [
        "",
        "1",
        "007",
        "true",
        " ",
        "&amp;",
        "&#65;",
        "&#x1F600;",
        "&#0;",
        "&e;",
        "<![CDATA[<a>]]>",
        "<!-- x -->",
        "<?p x?>",
        "é",
        "\r\n",
        "]]>",
    ]
)
XML_MARKS = st.sampled_from(
    [
        "",
        "",
        "",
        " array='true'",
        ' array="true"',
        " array='1'",
        ' key="$or"',
        ' key="token"',
        ' xmlns="u"',
        " b='1'",
    ]
)


@st.composite
def xml_element(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    name, mark = draw(XML_NAMES), draw(XML_MARKS)
    content = "".join(draw(st.lists(inner, max_size=3)))
    return f"<{name}{mark}>{content}</{name}>" if content or draw(st.booleans()) else f"<{name}{mark}/>"


XML_ELEMENTS: st.SearchStrategy[str] = st.recursive(XML_TEXTS, xml_element, max_leaves=12)
XML_PROLOGS = st.sampled_from(
    [
        "",
        "",
        "",
        '<?xml version="1.0"?>',
        '<?xml version="1.0" encoding="utf-8"?>',
        '<?xml version="1.1"?>',
        "\ufeff",
        "<!-- -->",
        "<!DOCTYPE a>",
        " ",
    ]
)


@st.composite
def xml_body(draw: st.DrawFn) -> bytes:
    content = "".join(draw(st.lists(XML_ELEMENTS, max_size=4)))
    return f"{draw(XML_PROLOGS)}<xml>{content}</xml>".encode()


@st.composite
def broken(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> bytes:
    """A body with a few bytes changed, cut out or doubled."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        match draw(st.integers(0, 3)):
            case 0:
                body[at:at] = draw(st.binary(max_size=3))
            case 1:
                del body[at : at + draw(st.integers(1, 4))]
            case 2:
                body[at:at] = body[at : at + draw(st.integers(1, 8))]
            case _:
                body[at:at] = draw(
                    st.sampled_from([b'"', b"\\", b"{", b"}", b"<", b">", b"\0", b"\xff", b"\xef\xbb\xbf"])
                )
    return bytes(body)


@st.composite
def respelt(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A body, and the same again with perhaps one little change."""
    body = draw(JSON_BODIES)
    other: Any = draw(st.one_of(JSON_BODIES, broken(st.just(body))))
    return body, other
