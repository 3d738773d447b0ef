"""Moments in time: seconds inside, ISO 8601 text outside; text without an offset is UTC."""

from datetime import UTC, datetime
from typing import TypeVar

from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.values import Params

Default = TypeVar("Default")


def moment(params: Params, name: str, default: Default) -> float | Default:
    """The parameter's time, or `default` when it was not sent."""
    if name not in params:
        return default
    try:
        read = datetime.fromisoformat(params.text(name))
    except ValueError as error:
        raise ApiError(Code.VALIDATION, f"{name} is not a date") from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def text_of(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
