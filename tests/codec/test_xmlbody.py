from gateway.catalogue.shape import OBJECT, Kind, Shape
from gateway.codec import jsonbody, xmlbody
from gateway.codec.body import BodyLimits

LIMITS = BodyLimits(depth=64, elements=2_000_000)


def test_fields_are_json_whatever_the_body_was() -> None:
    shape = Shape(Kind.OBJECT, {"db_id": Shape(Kind.INTEGER), "price": Shape(Kind.NUMBER)})
    body = b"<xml><db_id>7</db_id><price>1.10</price><name>7</name></xml>"

    fields = xmlbody.decode(body, shape, LIMITS)

    assert {name: bytes(raw) for name, raw in fields.items()} == {
        "db_id": b"7",
        "price": b"1.10",
        "name": b'"7"',
    }


def test_a_call_goes_out_as_xml_with_its_numbers_as_spelt() -> None:
    fields = jsonbody.decode(b'{"token":"t","a":1.10,"b":[12345678901234567890]}', LIMITS)

    assert xmlbody.encode(fields, OBJECT) == (
        b"<xml><token>t</token><a>1.10</a><b array='true'>12345678901234567890</b></xml>"
    )
