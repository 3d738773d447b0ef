"""JSON bodies: bytes to fields and back.

Only the top level is decoded; everything deeper is checked and kept byte for byte. What RFC 8259 does not
allow is refused, and no value is ever changed.
"""

from itertools import accumulate

import msgspec

from gateway.codec.body import (
    MAX_NUMBER,
    NUMBER_TOO_LONG,
    BodyLimits,
    Fields,
    MalformedBodyError,
    require_few,
    require_utf8,
)

_DECODER = msgspec.json.Decoder(Fields)
_ENCODER = msgspec.json.Encoder()
_STRUCTURE = b'[]{}",:'
_NOT_STRUCTURE = bytes(set(range(256)) - set(_STRUCTURE))
_NOT_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_BRACKET = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")  # up and down, read as signed bytes
_NUMERIC = b"0123456789+-.eE"
_DIGITS_ONLY = bytes(ord("0") if byte in _NUMERIC else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * (MAX_NUMBER + 1)
_STRIDE = 32
_LONG_NUMBER_STRIDDEN = b"0" * (len(_LONG_NUMBER) // _STRIDE)
_PASSES = 4
_COUNTED = 4 * 1024
"""Bytes up to which brackets are counted first: that clears nearly all of that size, few larger ones."""


def decode(body: bytes, limits: BodyLimits) -> Fields:
    """Read an object. Of a name that comes twice, however spelt, the last value counts.

    Raises MalformedBodyError for anything that is not one JSON object in UTF-8 within the limits.
    """
    try:
        # Apart, since msgspec does not look into the strings of a value that stays raw. A byte order mark is
        # refused by the decoder: RFC 8259 section 8.1 forbids to send one.
        body.decode()
        fields = _DECODER.decode(body)
    except UnicodeDecodeError:
        require_utf8(body)
        raise
    except msgspec.ValidationError:
        raise MalformedBodyError("the body is not a JSON object") from None
    except msgspec.DecodeError as error:
        raise MalformedBodyError(malformed(error, body)) from None
    except RecursionError:
        raise MalformedBodyError(_too_deep(limits)) from None
    require_few(fields)
    _require_within(body, limits)
    if len(body) > MAX_NUMBER and _has_long_number(body) and _has_long_number(_without_strings(body)):
        raise MalformedBodyError(NUMBER_TOO_LONG)
    return fields


def encode(fields: Fields) -> bytes:
    """Write an object; the values go out as they are."""
    return _ENCODER.encode(fields)


def malformed(error: msgspec.DecodeError, body: bytes) -> str:
    """What to tell about a body that is not JSON. msgspec's texts name positions only, never contents."""
    text = str(error)
    if not body.strip():
        return "the body is empty"
    if text.startswith("Input data was truncated"):
        # msgspec says this also of a "\ud800" without its other half, which RFC 8259 section 8.2 warns of.
        return "the JSON is malformed: it ends too early, or a string has half of a surrogate pair"
    return f"the JSON is malformed: {text.removeprefix('JSON is malformed: ')}"


def _require_within(body: bytes, limits: BodyLimits) -> None:
    """Check depth and elements of a body that is known to be valid.

    Small bodies cannot break a limit, and counting brackets clears the next larger ones. The rest takes a
    handful of passes over the bytes in C.
    """
    size = len(body)
    if size > limits.elements:
        _require_few_elements(body, limits)
    elif size <= 2 * limits.depth:
        return
    if size > _COUNTED or body.count(b"[") + body.count(b"{") > limits.depth:
        _require_shallow(body, limits)


def _require_few_elements(body: bytes, limits: BodyLimits) -> None:
    if body.count(b"[") + body.count(b"{") + body.count(b",") <= limits.elements:
        return
    structure = _structure_of(body)
    if structure.count(b"[") + structure.count(b"{") + structure.count(b",") > limits.elements:
        raise MalformedBodyError(f"the body has more than {limits.elements} elements")


def _require_shallow(body: bytes, limits: BodyLimits) -> None:
    brackets = _without_escapes(body).translate(_ONE_BRACKET, _NOT_BRACKETS)
    if brackets.count(b"[") <= limits.depth:
        return
    # Most strings have no bracket in them, and are two quotes by now. Taking away any two that are adjacent
    # leaves every bracket in a string, or out of one, as it was.
    brackets = brackets.replace(b'""""', b"").replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    # Taking away the innermost pairs takes away one level: quick, while there are few.
    taken = 0
    while brackets and taken < min(_PASSES, limits.depth):
        brackets = brackets.replace(b"[]", b"")
        taken += 1
    if brackets and taken + max(accumulate(_steps(brackets))) > limits.depth:
        raise MalformedBodyError(_too_deep(limits))


def _steps(brackets: bytes) -> memoryview:
    return memoryview(brackets.translate(_STEPS)).cast("b")


def _has_long_number(body: bytes) -> bool:
    """Whether there is a run of a long number's characters, perhaps in a string."""
    # Some of its bytes tell, for nearly every body: a long run has so many of them, one behind the other.
    if _LONG_NUMBER_STRIDDEN not in body[::_STRIDE].translate(_DIGITS_ONLY):
        return False
    return _LONG_NUMBER in body.translate(_DIGITS_ONLY)


def _without_strings(body: bytes) -> bytes:
    return b"".join(_without_escapes(body).split(b'"')[::2])


def _without_escapes(body: bytes) -> bytes:
    """Valid JSON whose quotes are the ends of strings, and nothing else."""
    if b"\\" not in body:  # one byte is looked for a hundred times faster than two
        return body
    # Escaped backslashes first: behind one, a quote ends the string.
    for pair in (rb"\\", rb"\""):
        if pair in body:
            body = body.replace(pair, b"")
    return body


def members(body: bytes) -> int:
    """How many members all objects of valid JSON have together, doubled names counted as often as they
    come."""
    return _structure_of(body).count(b":")


def _structure_of(body: bytes) -> bytes:
    """The brackets, commas and colons of valid JSON, without what stands in its strings."""
    # Strings never touch, since commas and colons are kept: two adjacent quotes are one string.
    structure = _without_escapes(body).translate(None, _NOT_STRUCTURE).replace(b'""', b"")
    if b'"' in structure:
        structure = b"".join(structure.split(b'"')[::2])
    return structure


def _too_deep(limits: BodyLimits) -> str:
    return f"the body is nested deeper than {limits.depth} levels"
