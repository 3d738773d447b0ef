"""A whole JSON value as Python values, for the conversions and the fingerprint.

Integers of any length stay integers; every other number stays a `msgspec.Raw` with its own spelling (`1.10`,
`1e400`), since a float would change it. Of names that come twice in an object the last counts.
"""

from typing import TypeAlias

import msgspec

from gateway.codec import jsonbody
from gateway.codec.body import Fields, MalformedBodyError

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str | int | msgspec.Raw | None"
"""A JSON value; bool is an int here as in Python, Raw is a number in its own spelling."""

_DECODER = msgspec.json.Decoder(float_hook=msgspec.Raw)
_FIELDS = msgspec.json.Decoder(Fields)
_ENCODER = msgspec.json.Encoder()
_CANONICAL = msgspec.json.Encoder(order="sorted")


def parse(raw: bytes | msgspec.Raw) -> Tree:
    """Read a JSON value; MalformedBodyError for what is none, or has an integer of over 4300 digits, which
    only a reply can have."""
    try:
        tree: Tree = _DECODER.decode(raw)
    except msgspec.ValidationError:
        raise MalformedBodyError("an integer has too many digits") from None
    except msgspec.DecodeError as error:
        raise MalformedBodyError(jsonbody.malformed(error, bytes(raw))) from None
    except UnicodeDecodeError:
        raise MalformedBodyError("the body is not UTF-8") from None
    except RecursionError:
        raise MalformedBodyError("the body is nested too deep") from None
    return tree


def write(tree: object) -> bytes:
    """Write a tree, keys in their order."""
    return _ENCODER.encode(tree)


def write_sorted(tree: object) -> bytes:
    """Write a tree with the keys of every object sorted: one spelling for one meaning."""
    return _CANONICAL.encode(tree)


def has_doubled_names(body: bytes, written: bytes) -> bool:
    """Whether an object of `body` has a name twice; `written` is what was written of the tree read from it,
    where of each name the last value is left.

    Nothing is written longer than it was read, so of one length are only those where nothing got lost. Else
    doubled names are members that got lost, and members are colons outside of strings. Mostly those inside
    are the same on both sides too: only an escaped colon comes out plain.
    """
    if len(body) == len(written):
        return False
    # One byte is looked for a hundred times faster than five.
    if body.count(b":") == written.count(b":") and (b"\\" not in body or b"\\u003" not in body):
        return False
    return jsonbody.members(body) != jsonbody.members(written)


def to_fields(tree: dict[str, Tree]) -> Fields:
    """The object as top-level fields, each value written as JSON."""
    return _FIELDS.decode(_ENCODER.encode(tree))


def is_integer(text: str) -> bool:
    """Whether a text is an integer in its one canonical decimal form: no plus, no leading zeros, not `-0`."""
    digits = text[1:] if text.startswith("-") else text
    # str.isdigit() alone is true of Arabic digits and of superscripts.
    if not (digits.isascii() and digits.isdigit()):
        return False
    return digits[0] != "0" or text == "0"
