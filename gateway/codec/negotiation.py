"""Which format a body has and which one the reply should have. Never 406: there is always a default."""

from enum import StrEnum

import msgspec

from gateway.codec.body import Fields


class Format(StrEnum):
    """The formats the gateway can speak itself; the platform's others (csv) pass through it."""

    JSON = "json"
    XML = "xml"

    @property
    def content_type(self) -> str:
        """What to send as `Content-Type`."""
        return "application/json" if self is Format.JSON else "application/xml; charset=utf-8"


_MEDIA_TYPES = {
    b"application/json": Format.JSON,
    b"application/xml": Format.XML,
    b"text/xml": Format.XML,  # the same thing by RFC 7303 section 9.2
}


def body_format(content_type: bytes | None) -> Format | None:
    """The format that a `Content-Type` names; None when there is none or it is not one of ours (415)."""
    if content_type is None:
        return None
    known = _MEDIA_TYPES.get(content_type)
    if known is not None:
        return known
    media_type, *parameters = content_type.lower().split(b";")
    if not all(_is_utf8(parameter) for parameter in parameters):
        return None
    return _MEDIA_TYPES.get(media_type.strip())


def _is_utf8(parameter: bytes) -> bool:
    """False for the parameter that names another charset; other parameters mean nothing here."""
    name, _, value = parameter.partition(b"=")
    return name.strip() != b"charset" or value.strip().strip(b'"') == b"utf-8"


def take_format(fields: Fields) -> tuple[Format | None, Fields]:
    """The reply format that a body asks for, and the fields without it.

    Only "json" and "xml" are the gateway's to answer; any other value (csv) stays for the platform.
    """
    raw = fields.get("format")
    if raw is None:
        return None, fields
    wanted = _named(raw)
    if wanted is None:
        return None, fields
    return wanted, {name: value for name, value in fields.items() if name != "format"}


def _named(raw: msgspec.Raw) -> Format | None:
    try:
        return Format(msgspec.json.decode(raw, type=str))
    except ValueError:  # msgspec's errors are ValueErrors too
        return None


def reply_format(url: Format | None, body: Format | None, accept: bytes, default: Format) -> Format:
    """What the caller is answered in: as the URL says, else the body, else `Accept`, else `default`."""
    if url is not None:
        return url
    if body is not None:
        return body
    return Format.XML if accept and _prefers_xml(accept) else default


_LONGEST_ACCEPT = 2_000
"""Bytes of an `Accept` that is looked into. Browsers send a tenth of it; a whole head of it takes 5 ms."""


def _prefers_xml(accept: bytes) -> bool:
    """Whether XML is strictly preferred to JSON (RFC 9110 section 12.5.1): many clients list both.

    `text/*` does not ask for XML: what would be sent is `application/xml`.
    """
    accept = accept.lower()
    if len(accept) > _LONGEST_ACCEPT:
        return False
    if b"xml" not in accept and b"json" not in accept:
        return False  # nearly every caller: nothing, or */*
    qualities = dict(_ranges(accept))
    anything = qualities.get(b"application/*", qualities.get(b"*/*", 0.0))
    json = qualities.get(b"application/json", anything)
    xml = max(qualities.get(b"application/xml", anything), qualities.get(b"text/xml", 0.0))
    return xml > json


def _ranges(accept: bytes) -> list[tuple[bytes, float]]:
    """The media ranges with their qualities."""
    ranges = []
    for element in accept.split(b","):
        media_range, *parameters = element.split(b";")
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition(b"=")
            if name.strip() == b"q":
                quality = _quality(value.strip())
        ranges.append((media_range.strip(), quality))
    return ranges


def _quality(value: bytes) -> float:
    """A weight; 0 for what is none, so that such a range is not preferred to anything."""
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
