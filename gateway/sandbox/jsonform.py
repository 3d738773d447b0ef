"""JSON bodies, by the standard library."""

import json
import math
from typing import NoReturn

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.values import Fields


def _refuse_constant(name: str) -> NoReturn:
    # RFC 8259 section 6: NaN and Infinity are not numbers.
    raise ValueError(name)


class Spelt(float):
    """A number that knows how it was written: 1.10 and 1.1 are one number, and two texts."""

    text: str


def _finite(text: str) -> float:
    # 1e400 would be read as infinity, which no reply could carry.
    number = Spelt(text)
    if math.isinf(number):
        raise ValueError(text)
    number.text = text
    return number


def decode(body: bytes) -> Fields:
    """The object in `body`. Raises `ApiError` 400 for anything else, and for text that is not UTF-8."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ApiError(Code.INCORRECT_REQUEST, "the body is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise ApiError(Code.INCORRECT_REQUEST, "the body is not an object")
    return value


def encode(fields: Fields) -> bytes:
    # A lone surrogate, which an escape in the request may have made, has no UTF-8.
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def shown(value: object, margin: str = "\n") -> str:
    """For people: a line for each value, and numbers as they came."""
    inner = margin + " "
    match value:
        case Spelt():
            return value.text
        case dict() if value:
            lines = (f"{_text(str(key))}: {shown(item, inner)}" for key, item in value.items())
            return f"{{{inner}{f',{inner}'.join(lines)}{margin}}}"
        case list() | tuple() if value:
            return f"[{inner}{f',{inner}'.join(shown(item, inner) for item in value)}{margin}]"
        case _:
            return _text(value)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
