"""Values survive to the byte: what the caller wrote is what the platform gets."""

import json

import pytest

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import XML, Caller
from tests.e2e.conftest import TOKEN, GatewayWith

OURS = f'"token":"{TOKEN}"'.encode()

FIELDS = [
    pytest.param(rb'"id":123456789012345678901234567890', id="an id of 30 digits"),
    pytest.param(rb'"id":-0', id="minus zero"),
    pytest.param(rb'"price":1.10', id="a trailing zero"),
    pytest.param(rb'"n":1E+2', id="an exponent"),
    pytest.param(rb'"n":0.1000000000000000055511151231257827', id="more digits than a double has"),
    pytest.param(rb'"s":"\u00e9\/\u003c\ud83d\ude00"', id="escapes"),
    pytest.param('"s":"é😀"'.encode(), id="no escapes"),
    pytest.param(rb'"data":{"b":1,"a":2,"\u0061":3,"a":4}', id="inner keys: order, spelling, doubled"),
    pytest.param(b'"data":{ "a" : [1 ,2 ,\t3 ],\n "b":{}  }', id="inner spaces"),
    pytest.param(rb'"phone":"007","flag":"true","none":"null"', id="strings that look like something else"),
]


@pytest.mark.parametrize("fields", FIELDS)
def test_json_values_arrive_as_they_were_written(caller: Caller, sandbox: Sandbox, fields: bytes) -> None:
    caller.call("segments/list", b"{" + fields + b"}")
    (call,) = sandbox.calls.of("segments/list")
    assert call.incoming.body == b"{" + OURS + b"," + fields + b"}"


def test_of_a_doubled_field_the_last_arrives(caller: Caller, sandbox: Sandbox) -> None:
    caller.call("databases/get", '{"id": 2, "id": 1}')
    (call,) = sandbox.calls.of("databases/get")
    assert json.loads(call.incoming.body) == {"token": TOKEN, "id": 1}


def test_xml_text_is_typed_only_where_the_catalogue_says_so(caller: Caller, sandbox: Sandbox) -> None:
    caller.xml(
        "profiles/import",
        "<xml><db_id>1</db_id><email>jim@example.com</email><skip_triggers>true</skip_triggers>"
        "<data><customer_id>007</customer_id><phones array='true'>+79990000001</phones>"
        "<own_number>12345678901234567890</own_number><own_flag>true</own_flag><own_price>1.10</own_price>"
        "</data></xml>",
    )
    (call,) = sandbox.calls.of("profiles/import")
    assert json.loads(call.incoming.body) == {
        "token": TOKEN,
        "db_id": 1,
        "email": "jim@example.com",
        "skip_triggers": True,
        "data": {
            "customer_id": "007",
            "phones": ["+79990000001"],
            "own_number": "12345678901234567890",
            "own_flag": "true",
            "own_price": "1.10",
        },
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1", b"1", id="an integer"),
        pytest.param("123456789012345678901234567890", b"123456789012345678901234567890", id="30 digits"),
        pytest.param("007", b'"007"', id="leading zeros: text"),
        pytest.param("+1", b'"+1"', id="a sign: text"),
        pytest.param("1.0", b'"1.0"', id="a fraction: text"),
        pytest.param("x", b'"x"', id="no number: text"),
    ],
)
def test_a_typed_xml_integer_keeps_its_spelling_or_stays_text(
    caller: Caller, sandbox: Sandbox, text: str, value: bytes
) -> None:
    caller.xml("databases/get", f"<xml><id>{text}</id></xml>")
    (call,) = sandbox.calls.of("databases/get")
    assert call.incoming.body == b"{" + OURS + b',"id":' + value + b"}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("&lt;b&gt; &amp; &#34;&apos;", "<b> & \"'", id="references"),
        pytest.param("<![CDATA[<b> & ]]>", "<b> & ", id="CDATA, and its space"),
        pytest.param("  two  spaces  ", "  two  spaces  ", id="spaces"),
        pytest.param("&#233;é&#x1F600;", "éé😀", id="beyond ASCII"),
        pytest.param("\\u0041\\n", "\\u0041\\n", id="what would be an escape in JSON"),
    ],
)
def test_xml_text_arrives_whole(caller: Caller, sandbox: Sandbox, text: str, value: str) -> None:
    body = f"<xml><db_id>1</db_id><email>a@example.com</email><data><_fname>{text}</_fname></data></xml>"
    caller.call("profiles/import", body, content_type=XML)
    (call,) = sandbox.calls.of("profiles/import")
    assert json.loads(call.incoming.body)["data"] == {"_fname": value}


def test_numbers_of_a_reply_keep_their_spelling_in_xml(caller: Caller) -> None:
    big = 123456789012345678901234567890
    caller.json("profiles/import", db_id=1, email="jim@example.com", data={"visits": big})
    body = "<xml><db_id>1</db_id><email>jim@example.com</email></xml>"
    assert caller.xml("profiles/get", body).xml().findtext("data/visits") == str(big)


def test_towards_xml_numbers_and_text_keep_their_spelling(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(upstream={"format": "xml"})
    caller.call(
        "segments/list", '{"id":123456789012345678901234567890,"n":1.10,"s":"<&\\u00e9\\/>","x":null}'
    )
    (call,) = sandbox.calls.of("segments/list")
    assert call.incoming.body.decode() == (
        f"<xml><token>{TOKEN}</token><id>123456789012345678901234567890</id><n>1.10</n>"
        "<s>&lt;&amp;é/&gt;</s><x/><format>xml</format></xml>"
    )
