"""What a call's body is inside the gateway, whatever it came as.

A body is its top-level parameters, each value still as the JSON it was sent as. So a token can be set without
touching anything else: 30-digit ids, `1.10`, inner key order and spacing survive.
"""

from dataclasses import dataclass

import msgspec

Fields = dict[str, msgspec.Raw]
"""Top-level parameters by name, each value one valid JSON value. Never changed: functions return new ones."""


class MalformedBodyError(ValueError):
    """A body that is refused. The text says why and may be shown: it never quotes the body."""


def require_utf8(body: bytes) -> None:
    """Raise MalformedBodyError unless the body is UTF-8, the only encoding the platform takes."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"the body is not UTF-8 (byte {error.start})") from None


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a structure is taken.

    `depth` counts nested objects and arrays (JSON) or nested elements (XML), the outermost included.
    `elements` counts opening brackets and commas (JSON) or what `<` opens (XML): what a parser allocates for,
    and can be told without one.
    """

    depth: int
    elements: int
