"""What a call's body is inside the gateway, whatever it came as.

A body is its top-level parameters, each value still as the JSON it was sent as. So a token can be set without
touching anything else: 30-digit ids, `1.10`, inner key order and spacing survive.
"""

from collections.abc import Sized
from dataclasses import dataclass

import msgspec

Fields = dict[str, msgspec.Raw]
"""Top-level parameters by name, each value one valid JSON value. Never changed: functions return new ones."""


MAX_NAMES = 10_000
"""Top-level parameters of one call. Each costs a lookup and a copy of its name, ten million bytes of them
seconds."""

MAX_NUMBER = 1_000
"""Characters of one number. Reading a longer integer takes time that grows with the square of its length."""

NUMBER_TOO_LONG = f"a number has more than {MAX_NUMBER} characters"


class MalformedBodyError(ValueError):
    """A body that is refused. The text says why and may be shown: it never quotes the body."""


def require_utf8(body: bytes) -> None:
    """Raise MalformedBodyError unless the body is UTF-8, the only encoding the platform takes."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"the body is not UTF-8 (byte {error.start})") from None


def require_few(fields: Sized) -> None:
    """Raise MalformedBodyError for more parameters than a call may have."""
    if len(fields) > MAX_NAMES:
        raise MalformedBodyError(f"the body has more than {MAX_NAMES} parameters")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How large a structure is taken.

    `depth` counts nested objects and arrays (JSON) or nested elements (XML), the outermost included.
    `elements` counts opening brackets and commas (JSON) or what `<` opens (XML): what a parser allocates for,
    and can be told without one.
    """

    depth: int
    elements: int
