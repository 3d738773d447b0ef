"""XML bodies: bytes to fields and back, by the catalogue's types. The mirror of `jsonbody`."""

from gateway.catalogue.shape import OBJECT, Shape
from gateway.codec import jsonbody, jsontree, xmlreader, xmlwriter
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError, require_few

_START, _END, _EMPTY = b"<xml>", b"</xml>", b"<xml/>"


def decode(body: bytes, shape: Shape, limits: BodyLimits) -> Fields:
    """Read a call's fields; MalformedBodyError for everything that is refused."""
    tree = xmlreader.read(body, shape, limits)
    require_few(tree)
    return jsontree.to_fields(tree)


def encode(fields: Fields, shape: Shape) -> bytes:
    """Write a call for the platform, lists of one item marked.

    MalformedBodyError for an object in which a name comes twice: one of the two values would be lost.
    """
    return of_json(jsonbody.encode(fields), shape)


def of_json(body: bytes, shape: Shape) -> bytes:
    """The same for a call that is written as JSON already."""
    tree = jsontree.parse(body)
    if jsontree.has_doubled_names(body, jsontree.write(tree)):
        raise MalformedBodyError("a name comes twice in one object, which XML would read as a list")
    return xmlwriter.write(tree, shape, mark_arrays=True)


def put_first(fields: Fields, document: bytes) -> bytes:
    """What `encode` wrote, with further fields in front of its own: as if they had been there."""
    alone = encode(fields, OBJECT)
    return alone if document == _EMPTY else alone[: -len(_END)] + document[len(_START) :]
