"""The platform's XML, with both sides written by hand."""

import pytest

from gateway.sandbox.codes import ApiError
from gateway.sandbox.values import Fields
from gateway.sandbox.xmlform import decode, encode


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("<xml/>", {}, id="nothing"),
        pytest.param("<xml><db_id>7</db_id></xml>", {"db_id": "7"}, id="numbers stay text"),
        pytest.param("<xml><a> x </a></xml>", {"a": " x "}, id="spaces inside a leaf are kept"),
        pytest.param("<xml><a/></xml>", {"a": ""}, id="an empty element is empty text"),
        pytest.param("<xml><a>1</a><a>2</a></xml>", {"a": ["1", "2"]}, id="a repeated element is an array"),
        pytest.param(
            "<xml><a>1</a><b>x</b><a>2</a><a>3</a></xml>", {"a": ["1", "2", "3"], "b": "x"}, id="also apart"
        ),
        pytest.param("<xml><a array='true'>1</a></xml>", {"a": ["1"]}, id="a marked array of one"),
        pytest.param(
            "<xml><d><x>1</x></d><d><x>2</x></d></xml>",
            {"d": [{"x": "1"}, {"x": "2"}]},
            id="array of objects",
        ),
        pytest.param(
            "<xml><d array='true'><x>1</x></d></xml>", {"d": [{"x": "1"}]}, id="a marked array of one object"
        ),
        pytest.param(
            "<xml><r><xml>1</xml><xml>2</xml></r></xml>",
            {"r": ["1", "2"]},
            id="nested xml elements are items",
        ),
        pytest.param("<xml>\n  <a>1</a>\n</xml>", {"a": "1"}, id="indentation"),
        pytest.param(
            "<?xml version='1.0' encoding='UTF-8'?><xml><a>ж</a></xml>", {"a": "ж"}, id="declaration"
        ),
        pytest.param("<xml><a>&lt;&amp;&#1078;<![CDATA[<]]></a></xml>", {"a": "<&ж<"}, id="escapes"),
        pytest.param("<xml><!-- no --><a>1<!-- no -->2</a></xml>", {"a": "12"}, id="comments are not there"),
    ],
)
def test_reading(text: str, fields: Fields) -> None:
    assert decode(text.encode()) == fields


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing at all"),
        pytest.param("<xml><a></xml>", id="not well-formed"),
        pytest.param("<xml/><xml/>", id="two roots"),
        pytest.param("<request><a>1</a></request>", id="another root"),
        pytest.param("<!DOCTYPE xml><xml/>", id="a DOCTYPE"),
        pytest.param('<!DOCTYPE x [<!ENTITY e "boom">]><xml><a>&e;</a></xml>', id="an entity"),
        pytest.param("<xml><a>text<b>1</b></a></xml>", id="mixed content"),
        pytest.param("<xml>text</xml>", id="text instead of parameters"),
        pytest.param("<xml><a>\xa0<b>1</b></a></xml>", id="a no-break space is text"),
        pytest.param("<?xml version='1.1'?><xml/>", id="XML 1.1"),
        pytest.param("<xml><a type='int'>1</a></xml>", id="an unknown attribute"),
        pytest.param("<xml><a array='false'>1</a></xml>", id="an array mark that says no"),
        pytest.param("<xml><p:a xmlns:p='urn:x'>1</p:a></xml>", id="a prefix"),
        pytest.param("<?xml version='1.0' encoding='windows-1251'?><xml/>", id="another encoding"),
        pytest.param("<xml>" + "<a>" * 64 + "</a>" * 64 + "</xml>", id="too deep"),
    ],
)
def test_refusing(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode(text.encode())
    assert caught.value.code == 400


def test_a_declaration_does_not_make_latin_1_readable() -> None:
    with pytest.raises(ApiError):
        decode("<xml><a>é</a></xml>".encode("latin-1"))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param(
            {"error": 0, "error_text": "fine"}, "<error>0</error><error_text>fine</error_text>", id="flat"
        ),
        pytest.param({"a": [1, 2]}, "<a>1</a><a>2</a>", id="an array repeats its element"),
        pytest.param({"a": ["one"]}, "<a>one</a>", id="an array of one has no mark"),
        pytest.param({"a": [], "b": None, "c": ""}, "<a/><b/><c/>", id="all that is empty looks the same"),
        pytest.param({"a": True, "b": False}, "<a>true</a><b>false</b>", id="booleans"),
        pytest.param({"a": {"b": {"c": 1}}}, "<a><b><c>1</c></b></a>", id="objects"),
        pytest.param(
            {"a": [[1, 2], [3]]}, "<a><xml>1</xml><xml>2</xml></a><a><xml>3</xml></a>", id="arrays in it"
        ),
        pytest.param({"a": [[], [1]]}, "<a/><a><xml>1</xml></a>", id="an empty array in an array"),
        pytest.param({"имя": 1, "a-1.b": 2}, "<имя>1</имя><a-1.b>2</a-1.b>", id="names of any script"),
        pytest.param({"a": "<&>\r"}, "<a>&lt;&amp;&gt;&#13;</a>", id="escapes"),
        pytest.param({"a": "x\x00y\ud800"}, "<a>x\ufffdy\ufffd</a>", id="what XML cannot carry is replaced"),
    ],
)
def test_writing(fields: Fields, text: str) -> None:
    assert encode(fields).decode() == f"<xml>{text}</xml>"


def test_a_nested_list_keeps_its_items_in_xml_elements() -> None:
    written = encode({"result": [{"error": 0}]}, nested=frozenset({"result"}))
    assert written == b"<xml><result><xml><error>0</error></xml></result></xml>"


@pytest.mark.parametrize("name", ["$or", "+7900", "1st", "a b", "a:b", "", "xml"])
def test_a_name_that_no_element_can_have_is_an_internal_error(name: str) -> None:
    """The platform's shape has no other way to write it, and to leave it out would be a lie."""
    with pytest.raises(ApiError) as caught:
        encode({"data": {name: 1}})
    assert caught.value.code == 500


def test_another_root() -> None:
    assert encode({"error": 0}, root="result") == b"<result><error>0</error></result>"
