"""What the golden cases cannot hold: bytes that are no text, sizes, and types from every side."""

from xml.etree import ElementTree

import pytest

from gateway.catalogue.shape import ANY, OBJECT, Kind, Shape
from gateway.codec import jsontree, xmlreader
from gateway.codec.body import BodyLimits, MalformedBodyError

LIMITS = BodyLimits(depth=64, elements=2_000_000)


def read(body: bytes, shape: Shape = OBJECT, limits: BodyLimits = LIMITS) -> bytes:
    return jsontree.write(xmlreader.read(body, shape, limits))


def nested(levels: int) -> bytes:
    """A document of so many nested elements, the root included."""
    return b"<a>" * levels + b"</a>" * levels


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<xml><a>é</a></xml>".encode("utf-16"), id="UTF-16 with its mark"),
        pytest.param("<xml><a>é</a></xml>".encode("utf-16-le"), id="UTF-16 little endian"),
        pytest.param("<xml><a>é</a></xml>".encode("utf-16-be"), id="UTF-16 big endian"),
        pytest.param(
            '<?xml version="1.0" encoding="UTF-16"?><xml/>'.encode("utf-16-le"), id="declared UTF-16"
        ),
        pytest.param("<xml><a>e</a></xml>".encode("utf-32"), id="UTF-32"),
        pytest.param("<xml><a>é</a></xml>".encode("latin-1"), id="Latin-1"),
        pytest.param('<?xml version="1.0"?><xml/>'.encode("cp037"), id="EBCDIC"),
        pytest.param(b"<xml><a>\xed\xa0\x80</a></xml>", id="encoded surrogate"),
        pytest.param(b"<xml><a>\0</a></xml>", id="NUL"),
    ],
)
def test_bytes_that_are_not_utf8_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body is not UTF-8"):
        read(body)


@pytest.mark.parametrize(
    "encoding", ["utf-7", "latin-1", "utf8", "UTF-16", "windows-1251", "US-ASCII", "UTF-8 "]
)
def test_any_other_declared_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(MalformedBodyError):
        read(f'<?xml version="1.0" encoding="{encoding}"?><xml><a>1</a></xml>'.encode())


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\n \t\r",
        b'<?xml version="1.0"?>',
        b'<?xml version="1.0"?><!-- <xml> --> <?a b?>\n<!----><!-- - -->',
    ],
)
def test_a_doctype_is_refused_before_it_is_parsed(prolog: bytes) -> None:
    """What stands in the DOCTYPE is broken: a parser would have complained of that instead."""
    with pytest.raises(MalformedBodyError, match=r"^a DOCTYPE is not accepted$"):
        read(prolog + b"<!DOCTYPE xml [<!ENTITY broken>><xml/>")


def test_looking_for_a_doctype_comes_to_an_end() -> None:
    """With backtracking, every comment would double the time: this would outlive any test's timeout."""
    body = b"<!--" + b"--><!--" * 50_000 + b"--><xml><a><![CDATA[<!DOCTYPE]]></a></xml>"

    assert read(body) == b'{"a":"<!DOCTYPE"}'


@pytest.mark.parametrize("kilobytes", [1, 1000])
def test_entity_bombs_do_not_unfold(kilobytes: int) -> None:
    entity = b"<!ENTITY a '" + b"x" * 1024 * kilobytes + b"'>"
    with pytest.raises(MalformedBodyError, match=r"^a DOCTYPE is not accepted$"):
        read(b"<!DOCTYPE x [" + entity + b"]><x><a>" + b"&a;" * 10_000 + b"</a></x>")


def test_64_nested_elements_pass_and_one_more_is_refused() -> None:
    assert read(nested(64)).count(b"{") == 63  # the innermost element is a leaf
    with pytest.raises(MalformedBodyError, match=r"^the body is nested too deep$"):
        read(nested(65))


def test_nested_list_items_count_as_levels() -> None:
    def towers(levels: int) -> bytes:
        return b"<r><a array='true'>" + b"<xml>" * levels + b"</xml>" * levels + b"</a></r>"

    assert read(towers(62)).count(b"[") == 63  # the marked list, its item, and all <xml> but the innermost
    with pytest.raises(MalformedBodyError, match=r"^the body is nested too deep$"):
        read(towers(63))


@pytest.mark.parametrize("levels", [256, 10_000, 500_000])
def test_very_deep_documents_do_not_exhaust_the_stack(levels: int) -> None:
    with pytest.raises(MalformedBodyError):
        read(nested(levels))


def test_the_limit_of_elements_is_exact() -> None:
    body = b"<x>" + b"<a/><b>1</b>" * 50 + b"</x>"

    xmlreader.read(body, OBJECT, BodyLimits(depth=64, elements=101))
    with pytest.raises(MalformedBodyError, match=r"^the body has more than 100 elements$"):
        xmlreader.read(body, OBJECT, BodyLimits(depth=64, elements=100))


def test_more_than_two_million_elements_are_refused_before_they_are_parsed() -> None:
    with pytest.raises(MalformedBodyError, match=r"^the body has more than 2000000 elements$"):
        read(b"<x>" + b"<a/>" * 2_000_001)  # not closed: a parser would say so


def test_200_000_attributes_are_refused() -> None:
    attributes = b" ".join(b'a%d="1"' % number for number in range(200_000))
    with pytest.raises(MalformedBodyError, match=r"^an element has an attribute other"):
        read(b"<xml><a " + attributes + b"/></xml>")


def test_a_text_of_11_mb_is_one_text() -> None:
    text = "é\n" * 4_000_000
    body = f"<xml><a>{text}</a></xml>".encode()
    assert xmlreader.read(body, OBJECT, LIMITS) == {"a": text}


def test_a_text_in_a_million_pieces_is_read_in_one_go() -> None:
    """In well under the test's timeout: put together one by one they would take minutes."""
    assert xmlreader.read(b"<xml><a>" + b"xy<!---->" * 1_000_000 + b"</a></xml>", OBJECT, LIMITS) == {
        "a": "xy" * 1_000_000
    }


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.NUMBER])
def test_a_number_of_1000_characters_passes_and_a_longer_one_is_refused(kind: Kind) -> None:
    shape = Shape(Kind.OBJECT, {"a": Shape(kind)})
    assert read(b"<xml><a>" + b"9" * 1000 + b"</a></xml>", shape) == b'{"a":' + b"9" * 1000 + b"}"
    with pytest.raises(MalformedBodyError, match=r"^a number has more than 1000 characters$"):
        read(b"<xml><a>" + b"9" * 1001 + b"</a></xml>", shape)
    assert read(b"<xml><b>" + b"9" * 1001 + b"</b></xml>", shape) == b'{"b":"' + b"9" * 1001 + b'"}'


def test_a_document_of_10_mb_is_read_whole() -> None:
    rows = b"<row><id>1</id><name>" + b"n" * 4000 + b"</name></row>"
    fields = xmlreader.read(b"<xml>" + rows * 2500 + b"</xml>", OBJECT, LIMITS)

    assert fields == {"row": [{"id": "1", "name": "n" * 4000}] * 2500}


@pytest.mark.parametrize(
    "body",
    [b"<hunter2>", b"<xml><hunter2 hunter2='1'/></xml>", b"<xml>&hunter2;</xml>", b"<xml>hunter2</xml>"],
)
def test_a_refusal_never_quotes_the_body(body: bytes) -> None:
    with pytest.raises(MalformedBodyError) as refusal:
        read(body)

    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [
        b'<xml><a xmlns:x="urn:x">1</a></xml>',
        b'<xml xmlns:x="urn:x"><a x:array="true">1</a></xml>',
        b'<xml><a xmlns="urn:x">1</a></xml>',
        b'<xml><a xmlns=""><b/></a></xml>',
    ],
)
def test_namespaces_are_refused_anywhere(body: bytes) -> None:
    with pytest.raises(MalformedBodyError, match=r"namespaces|attribute"):
        read(body)


def test_the_word_xmlns_in_a_text_is_no_namespace() -> None:
    assert read(b"<xml><a>xmlns:x</a></xml>") == b'{"a":"xmlns:x"}'


@pytest.mark.parametrize("mark", ["True", "1", "", "false", "true "])
def test_only_true_marks_a_list(mark: str) -> None:
    with pytest.raises(MalformedBodyError, match=r"^the attribute array has another value than 'true'$"):
        read(f"<xml><a array='{mark}'>1</a></xml>".encode())


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.LIST])
def test_text_is_the_same_text_for_every_type_it_does_not_fit(kind: Kind) -> None:
    assert (
        read(b"<xml><a>some text</a></xml>", Shape(Kind.OBJECT, {"a": Shape(kind)})) == b'{"a":"some text"}'
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_structure_wins_over_every_type(kind: Kind) -> None:
    shape = Shape(Kind.OBJECT, {"a": Shape(kind), "b": Shape(kind)})
    fields = xmlreader.read(b"<xml><a><c>1</c></a><b>x</b><b>y</b></xml>", shape, LIMITS)

    one = {"c": "1"}
    assert fields == {"a": [one] if kind is Kind.LIST else one, "b": ["x", "y"]}


def test_an_unknown_reply_is_read_like_another_parser_reads_it() -> None:
    body = "<xml><a>1 &amp; <![CDATA[<2>]]></a><b> x </b><c>é😀</c></xml>".encode()
    expected = {child.tag: child.text for child in ElementTree.fromstring(body)}

    assert xmlreader.read(body, ANY, LIMITS) == expected
