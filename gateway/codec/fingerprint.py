"""One identity for one meaning of a call: equal for all its spellings, different for all that differs.

Key order, spacing, escapes and XML or JSON make no difference. `"1"` and `1` are the same where the catalogue
says integer, and only there; `1` and `1.0` are not. Where an object has a name twice, which of the values the
platform takes is not ours to know: such a call is identified by its bytes. Tokens and the reply format are no
part of a call's meaning: whoever calls this module has taken them out.
"""

import hashlib

import msgspec

from gateway.catalogue.shape import Kind, Shape
from gateway.codec import jsonbody, jsontree
from gateway.codec.body import Fields
from gateway.codec.jsontree import Tree

CANONICAL_BYTES = 256 * 1024
"""Up to this size of the encoded fields all spellings are equal; above, a call is identified by its bytes."""

_DIGEST_BYTES = 16


def fingerprint(account_scope: str, api_method: str, query: bytes, fields: Fields, shape: Shape) -> bytes:
    """The 16-byte identity of a call, for `query` and `fields` without token and reply format.

    Takes microseconds for ordinary calls. Above CANONICAL_BYTES it is for a thread: hashing 10 MB takes some
    10 ms, most of it without the interpreter lock.
    """
    address = [account_scope, api_method, query.decode("latin-1")]
    body = jsonbody.encode(fields)
    if len(body) > CANONICAL_BYTES:
        return _of_bytes(address, body)
    written = jsontree.write_sorted(_typed(jsontree.parse(body), shape))
    if jsontree.has_doubled_names(body, written):
        return _of_bytes(address, body)
    # One JSON list with the body as its last item.
    canonical = b"%b,%b]" % (jsontree.write(address)[:-1], written)
    return hashlib.blake2b(canonical, digest_size=_DIGEST_BYTES).digest()


def _of_bytes(address: list[str], body: bytes) -> bytes:
    # A JSON list says itself where it ends, so that no two calls give the same input.
    digest = hashlib.blake2b(jsontree.write(address), digest_size=_DIGEST_BYTES)
    digest.update(body)
    return digest.digest()


def _typed(tree: Tree, shape: Shape) -> Tree:
    """The tree with integers wherever the catalogue says so. Changes it in place: nobody else holds it."""
    if isinstance(tree, str):
        return msgspec.Raw(tree) if shape.kind is Kind.INTEGER and jsontree.is_integer(tree) else tree
    if isinstance(tree, dict):
        _type_fields(tree, shape)
    elif isinstance(tree, list) and shape.item is not None and shape.item.has_integers:
        item = shape.item
        for place, element in enumerate(tree):
            if isinstance(element, dict):  # what nearly all long lists are made of
                _type_fields(element, item)
            else:
                tree[place] = _typed(element, item)
    return tree


def _type_fields(tree: dict[str, Tree], shape: Shape) -> None:
    for name, inner in shape.fields_with_integers:
        if name in tree and type(value := tree[name]) is not int:  # as nearly all are in JSON
            tree[name] = _typed(value, inner)
