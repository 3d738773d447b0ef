"""One identity for one meaning of a call: equal for all its spellings, different for all that differs.

Key order, spacing, escapes and XML or JSON make no difference. `"1"` and `1` are the same where the catalogue
says integer, and only there; `1` and `1.0` are not. Where an object has a name twice, which of the values the
platform takes is not ours to know: such a call is identified by its bytes. Tokens and the reply format are no
part of a call's meaning: whoever calls this module has taken them out.
"""

import hashlib

import msgspec

from gateway.catalogue.shape import Kind, Shape
from gateway.codec import jsontree
from gateway.codec.jsontree import Tree

CANONICAL_BYTES = 256 * 1024
"""Up to this size of the encoded fields all spellings are equal; above, a call is identified by its bytes."""

_DIGEST_BYTES = 16
_INTEGER = Kind.INTEGER  # looked up once: each look-up in the class takes 60 ns


def fingerprint(account_scope: str, api_method: str, query: bytes, body: bytes, shape: Shape) -> bytes:
    """The 16-byte identity of a call, for `query` and `body` without token and reply format; `body` is what
    `jsonbody.encode` writes of the fields.

    Takes microseconds for ordinary calls. Above CANONICAL_BYTES it is for a thread: hashing 10 MB takes some
    10 ms, most of it without the interpreter lock.
    """
    address = [account_scope, api_method, query.decode("latin-1")]
    if len(body) > CANONICAL_BYTES:
        return _of_bytes(address, body)
    tree = jsontree.parse(body)
    _type(tree, shape)
    written = jsontree.write_sorted(tree)
    if jsontree.has_doubled_names(body, written):
        return _of_bytes(address, body)
    # One JSON list with the body as its last item.
    canonical = jsontree.write(address)[:-1] + b"," + written + b"]"
    return hashlib.blake2b(canonical, digest_size=_DIGEST_BYTES).digest()


def _of_bytes(address: list[str], body: bytes) -> bytes:
    # A JSON list says itself where it ends, so that no two calls give the same input.
    digest = hashlib.blake2b(jsontree.write(address), digest_size=_DIGEST_BYTES)
    digest.update(body)
    return digest.digest()


def _type(tree: Tree, shape: Shape) -> None:
    """Make integers of the texts in it wherever the catalogue says so, in place: nobody else holds it."""
    if isinstance(tree, dict):
        _type_fields(tree, shape.fields_with_integers)
    elif isinstance(tree, list) and (item := shape.item) is not None and item.has_integers:
        fields = item.fields_with_integers
        for place, value in enumerate(tree):
            if type(value) is dict:  # as nearly all are, in long lists
                _type_fields(value, fields)
            elif type(value) is str:
                tree[place] = _integer(value, item)
            else:
                _type(value, item)


def _type_fields(tree: dict[str, Tree], fields: tuple[tuple[str, Shape], ...]) -> None:
    for name, shape in fields:
        if name in tree and type(value := tree[name]) is not int:  # as nearly all are in JSON
            if type(value) is dict:
                _type_fields(value, shape.fields_with_integers)
            elif type(value) is str:
                tree[name] = _integer(value, shape)
            else:
                _type(value, shape)


def _integer(text: str, shape: Shape) -> str | msgspec.Raw:
    return msgspec.Raw(text) if shape.kind is _INTEGER and jsontree.is_integer(text) else text
