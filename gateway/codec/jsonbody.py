"""JSON bodies: bytes to fields and back.

Only the top level is decoded; everything deeper is checked and kept byte for byte. What RFC 8259 does not
allow is refused, and no value is ever changed.
"""

import msgspec

from gateway.codec.body import BodyLimits, Fields, MalformedBodyError, require_utf8

_DECODER = msgspec.json.Decoder(Fields)
_STRUCTURE = b'[]{}",:'
_NOT_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")


def decode(body: bytes, limits: BodyLimits) -> Fields:
    """Read an object. Of a name that comes twice, however spelt, the last value counts.

    Raises MalformedBodyError for anything that is not one JSON object in UTF-8 within the limits.
    """
    # Apart, since msgspec does not look into the strings of a value that stays raw. A byte order mark is
    # refused by the decoder: RFC 8259 section 8.1 forbids to send one.
    require_utf8(body)
    try:
        fields = _DECODER.decode(body)
    except msgspec.ValidationError:
        raise MalformedBodyError("the body is not a JSON object") from None
    except msgspec.DecodeError as error:
        raise MalformedBodyError(malformed(error)) from None
    except RecursionError:
        raise MalformedBodyError(_too_deep(limits)) from None
    _require_within(body, limits)
    return fields


def encode(fields: Fields) -> bytes:
    """Write an object; the values go out as they are."""
    return msgspec.json.encode(fields)


def malformed(error: msgspec.DecodeError) -> str:
    """What to tell about a body that is not JSON. msgspec's texts name positions only, never contents."""
    text = str(error)
    if text.startswith("Input data was truncated"):
        # msgspec says this also of a "\ud800" without its other half, which RFC 8259 section 8.2 warns of.
        return "the JSON is malformed: it ends too early, or a string has half of a surrogate pair"
    return f"the JSON is malformed: {text.removeprefix('JSON is malformed: ')}"


def _require_within(body: bytes, limits: BodyLimits) -> None:
    """Check depth and elements of a body that is known to be valid.

    Small bodies cannot break a limit, and counting brackets clears the next larger ones. The rest takes a
    handful of passes over the bytes in C.
    """
    if len(body) <= 2 * limits.depth and len(body) <= limits.elements:
        return
    opened = body.count(b"[") + body.count(b"{")
    if opened <= limits.depth and len(body) <= limits.elements:
        return
    if opened > limits.depth or opened + body.count(b",") > limits.elements:
        _measure(_structure_of(body), limits)


def _measure(structure: bytes, limits: BodyLimits) -> None:
    brackets = structure.translate(_ONE_BRACKET, b",:")
    if len(brackets) // 2 + structure.count(b",") > limits.elements:
        raise MalformedBodyError(f"the body has more than {limits.elements} elements")
    # Taking away the innermost pairs takes away one level.
    for _ in range(limits.depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise MalformedBodyError(_too_deep(limits))


def _structure_of(body: bytes) -> bytes:
    """The brackets, commas and colons of valid JSON, without what stands in its strings."""
    # Escaped backslashes first: behind one, a quote ends the string.
    for pair in (rb"\\", rb"\""):
        if pair in body:
            body = body.replace(pair, b"")
    # Strings never touch, since commas and colons are kept: two adjacent quotes are one string.
    structure = body.translate(None, _NOT_STRUCTURE).replace(b'""', b"")
    if b'"' in structure:
        structure = b"".join(structure.split(b'"')[::2])
    return structure


def _too_deep(limits: BodyLimits) -> str:
    return f"the body is nested deeper than {limits.depth} levels"
