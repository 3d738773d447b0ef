"""What is read without a parser, and that it is read as by one; any other document is left to the parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codec import xmlparser, xmlplain
from gateway.codec.body import BodyLimits, MalformedBodyError

LIMITS = BodyLimits(depth=64, elements=2_000_000)


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><a>1</a><b></b></xml>",
        b"<xml><a>1</a><a/><xml>2</xml></xml>\n",
        b"<xml>\n  <a>\n    <b-1.x> 1 </b-1.x>\n  </a>\n</xml>\n",
        b"<xml>\r\n\t<a>x\r\ny\rz</a>\r\n</xml>",
        b"<?xml version='1.0'?><_><a>></a></_>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<xml><a>[]] ></a></xml>',
        b"<xml><a>&lt;&amp;lt;&gt;&quot;&apos;&amp;</a><b>]]&gt;</b></xml>",
        "<xml><a>é\u2028\x7f\x85😀\ufffd</a></xml>".encode(),
        b"<xml><a>/></a><b>a/></b><c>=' \"</c></xml>",
        b"<a>" * 64 + b"</a>" * 64,
    ],
)
def test_a_plain_document_is_read_as_by_the_parser(body: bytes) -> None:
    read = xmlplain.parse(body, LIMITS)

    assert read is not None
    assert read == xmlparser.parse(body, LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"<xml>",
        b"</xml>",
        b"<xml><a></xml></a>",
        b"<xml><a>1</a>",
        b"<xml><a>1</a></xml></xml>",
        b"<xml><a>1</a></xml><xml/>",
        b"<xml><a>1</a></xml>x",
        b"<xml><a>1</a>x</xml>",
        b"<xml>x<a>1</a></xml>",
        b"<xml><a<b>1</b></a></xml>",
        b"<xml><1>1</1></xml>",
        b"<xml><x:a>1</x:a></xml>",
        b"<xml><a>]]></a></xml>",
        b"<xml><a>&e;</a></xml>",
        b"<xml><a>&#0;</a></xml>",
        b"<xml><a>&</a></xml>",
        b"<xml><a>\x01</a></xml>",
        b"<xml><a>\x1f</a></xml>",
        b"<xml>\x0b<a>1</a></xml>",
        b"<xml><a>\0</a></xml>",
        b"<xml><a>\xff</a></xml>",
        b"<xml><a>\xed\xa0\x80</a></xml>",
        "<xml><a>\uffff</a></xml>".encode(),
        "<xml><a>\ufffd\ufffe</a></xml>".encode(),
        b"<!DOCTYPE xml><xml><a>1</a></xml>",
        b"<?xml version='1.1'?><xml><a>1</a></xml>",
        b"<?XML version='1.0'?><xml><a>1</a></xml>",
        b"<?xml version='1.0' encoding='latin-1'?><xml><a>1</a></xml>",
        b"<xml><a b='1'>1</a></xml>",
        b"<xml xmlns='u'><a>1</a></xml>",
        b"<a>" * 65 + b"</a>" * 65,
    ],
)
def test_what_is_refused_is_left_to_the_parser_which_says_why(body: bytes) -> None:
    assert xmlplain.parse(body, LIMITS) is None
    with pytest.raises(MalformedBodyError):
        xmlparser.parse(body, LIMITS)


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><a array='true'>1</a></xml>",
        b"<xml><entry key='$or'>1</entry></xml>",
        b"<xml><a><![CDATA[<b>]]></a></xml>",
        b"<xml><!-- --><a>1</a></xml>",
        b"<xml><a>&#65;</a></xml>",
        b"<xml><a >1</a ></xml>",
        "<xml><имя>1</имя></xml>".encode(),
        b"\xef\xbb\xbf<xml><a>1</a></xml>",
        b"<xml><a>" + b"x" * xmlplain.MOST + b"</a></xml>",
    ],
)
def test_what_else_is_xml_is_left_to_the_parser_which_reads_it(body: bytes) -> None:
    assert xmlplain.parse(body, LIMITS) is None
    assert isinstance(xmlparser.parse(body, LIMITS), list)


@pytest.mark.parametrize(
    ("text", "is_read_here"),
    [(b"x" * 10_000, True), (b"&lt;p&gt;" * 1000, False), (b"x" * 10_000 + b"&amp;", False)],
    ids=["long text", "many references", "a reference in a long text"],
)
def test_the_parser_keeps_the_documents_with_which_it_is_quicker(text: bytes, is_read_here: bool) -> None:
    read = xmlplain.parse(b"<xml><a>%b</a></xml>" % text, LIMITS)

    assert (read is not None) is is_read_here


def test_a_document_that_may_have_too_many_elements_is_left_to_the_parser() -> None:
    body = b"<xml><a/><b/></xml>"

    assert xmlplain.parse(body, BodyLimits(depth=64, elements=len(body))) is not None
    assert xmlplain.parse(body, BodyLimits(depth=64, elements=len(body) - 1)) is None


PIECES = st.sampled_from(
    [
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<a/>",
        "<xml>",
        "</xml>",
        "x",
        " ",
        "\n",
        "\r",
        "&amp;",
        "&",
        "]]>",
        ">",
        "/",
        "]",
        "\x01",
        "\x7f",
        "é",
        "\ufffd",
        "\ufffe",
        "😀",
    ]
)


@given(st.lists(PIECES, max_size=20))
def test_tags_in_any_order_are_read_as_by_the_parser_or_not_at_all(pieces: list[str]) -> None:
    body = f"<xml>{''.join(pieces)}</xml>".encode()
    read = xmlplain.parse(body, LIMITS)

    assert read is None or read == xmlparser.parse(body, LIMITS)
