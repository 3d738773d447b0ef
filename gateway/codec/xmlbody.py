"""XML bodies: bytes to fields and back, by the catalogue's types. The mirror of `jsonbody`."""

from gateway.catalogue.shape import Shape
from gateway.codec import jsonbody, jsontree, xmlreader, xmlwriter
from gateway.codec.body import BodyLimits, Fields


def decode(body: bytes, shape: Shape, limits: BodyLimits) -> Fields:
    """Read a call's fields; MalformedBodyError for everything that is refused."""
    return jsontree.to_fields(xmlreader.read(body, shape, limits))


def encode(fields: Fields, shape: Shape) -> bytes:
    """Write a call for the platform, lists of one item marked."""
    return xmlwriter.write(jsontree.parse(jsonbody.encode(fields)), shape, mark_arrays=True)
