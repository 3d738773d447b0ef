"""The platform's replies in the other format, for a caller who asked for it."""

from gateway.catalogue.shape import Kind, Shape
from gateway.codec import jsontree, xmlreader, xmlwriter
from gateway.codec.body import BodyLimits, MalformedBodyError

_ENVELOPE = {"error": Shape(Kind.INTEGER), "error_text": Shape(Kind.STRING)}


def to_xml(body: bytes, shape: Shape) -> bytes:
    """A JSON reply as XML; MalformedBodyError when it is not JSON."""
    try:
        return xmlwriter.write(jsontree.parse(body), shape, mark_arrays=False)
    except RecursionError:
        raise MalformedBodyError("the reply is nested too deep") from None


def to_json(body: bytes, shape: Shape, limits: BodyLimits) -> bytes:
    """An XML reply as JSON; MalformedBodyError when it is not XML of the platform's shape.

    `error` is a number whatever the catalogue knows of the method, since every caller compares it with one.
    """
    known = Shape(Kind.OBJECT, {**shape.fields, **_ENVELOPE})
    return jsontree.write(xmlreader.read(body, known, limits))
