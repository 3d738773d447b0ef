"""The outside of a reply: the platform's own code, its text, and the codes of a batch's items.

Only these are read; a reply goes to the caller as it came. Whatever the bytes are, reading never raises:
garbage is told by `is_json` and `is_object`, so that it can count as no answer at all.
"""

from collections import Counter

import msgspec

from gateway.catalogue.shape import OBJECT, Kind, Shape
from gateway.codec import xmlreader, xmlwriter
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError
from gateway.codec.jsontree import Tree, is_integer
from gateway.codec.negotiation import Format

_DECODER = msgspec.json.Decoder(Fields)
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_CODE_DIGITS = 9
_MAX_CODE = 10**_CODE_DIGITS  # a "code" beyond that is something else, and may not fit where codes are kept
_MAX_CODES = 256
"""Different codes of one batch that are told apart; the platform's table has fewer."""

_ITEMS = Shape(Kind.LIST, item=OBJECT, wrapped=True)


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What a reply says about the call.

    `code` is None when there is no `error`, or one that is no integer. `item_codes` says of a batch
    how many of its items have which code, by the same rule.
    """

    code: int | None = None
    error_text: str | None = None
    item_codes: tuple[tuple[int | None, int], ...] = ()
    is_object: bool = False
    is_json: bool = False  # always False for XML


class _Outside(msgspec.Struct, gc=False):
    """The fields that are read of every reply."""

    error: object = None
    error_text: object = None


_OUTSIDE = msgspec.json.Decoder(_Outside)


def read(body: bytes, item_results: str | None = None) -> Envelope:
    """Read a JSON reply. `item_results` names the field with the items of a batch."""
    if item_results is None:  # as of nearly all methods
        try:
            body.decode()  # the decoder does not look into the names that it passes over
            outside = _OUTSIDE.decode(body)
        except _BROKEN:
            pass  # perhaps only in one of the two fields: what is left is read below
        else:
            return Envelope(_code(outside.error), _text(outside.error_text), is_object=True, is_json=True)
    try:
        fields = _DECODER.decode(body)
    except msgspec.ValidationError:
        return Envelope(is_json=_is_json(body))
    except _BROKEN:
        return Envelope()
    return Envelope(
        code=_code(_value(fields, "error")),
        error_text=_text(_value(fields, "error_text")),
        item_codes=_item_codes(_value(fields, item_results)) if item_results is not None else (),
        is_object=True,
        is_json=True,
    )


def read_xml(body: bytes, limits: BodyLimits, item_results: str | None = None) -> Envelope:
    """Read an XML reply; one outside the limits is garbage."""
    shape = OBJECT if item_results is None else Shape(Kind.OBJECT, {item_results: _ITEMS})
    try:
        fields = xmlreader.read(body, shape, limits)
    except MalformedBodyError:
        return Envelope()
    items = fields.get(item_results) if item_results is not None else None
    return Envelope(
        code=_code(fields.get("error")),
        error_text=_text(fields.get("error_text")),
        item_codes=_item_codes(items),
        is_object=True,
    )


def own_error(wanted: Format, code: int, text: str) -> bytes:
    """The gateway's own error in the platform's shape; the text says that it is ours."""
    fields: dict[str, Tree] = {"error": code, "error_text": f"gateway: {text}"}
    if wanted is Format.XML:
        return xmlwriter.write(fields, OBJECT, mark_arrays=False)
    return msgspec.json.encode(fields)


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except _BROKEN:
        return False
    return True


def _value(fields: Fields, name: str) -> object:
    raw = fields.get(name)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except _BROKEN:  # not UTF-8 inside, or an integer of over 4300 digits
        return None


def _code(value: object) -> int | None:
    if type(value) is int:  # not a bool, which is an int too
        return value if abs(value) < _MAX_CODE else None
    if isinstance(value, str) and len(value) <= _CODE_DIGITS and is_integer(value):
        return int(value)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _item_codes(items: object) -> tuple[tuple[int | None, int], ...]:
    if not isinstance(items, list):
        return ()
    counted = Counter(_code(item.get("error")) if isinstance(item, dict) else None for item in items)
    if len(counted) > _MAX_CODES:
        told = dict(counted.most_common(_MAX_CODES))
        told[None] = told.get(None, 0) + len(items) - sum(told.values())
        return tuple(told.items())
    return tuple(counted.items())
