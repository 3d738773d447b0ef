"""Durations, sizes and rates. A bare number is refused, 0 included: nobody sees its unit.

In the model a duration is a float of seconds, a size an int of bytes and a rate a float per second.
"""

import string
from decimal import Decimal
from typing import Annotated

from gateway.settings.spelling import Spelling

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

# Nine digits are enough for everything here and keep every value finite.
_DURATION = r"[0-9]{1,9}(\.[0-9]{1,6})?(ms|s|m|h)"
_RATE = r"[0-9]{1,6}/(s|m|h)"
_SIZE = r"[0-9]{1,9}(B|KiB|MiB|GiB)"

DAY = 24 * 3600.0
"""How long the platform itself remembers a call: nothing here may promise as much (see dedup)."""


def read_duration(text: str) -> float:
    """Seconds of `250ms`, `1.5s`, `5m` or `24h`."""
    amount, unit = _split(text)
    return float(Decimal(amount) * _SECONDS[unit])  # decimal: 1.1s is 1.1 and not 1.1000000000000001


def write_duration(seconds: float) -> str:
    """The shortest exact spelling of `seconds`: 5400.0 is `90m`, 0.25 is `250ms`, 0.0 is `0s`."""
    amount = Decimal(repr(seconds))
    for unit in ("h", "m", "s", "ms"):
        count = amount / _SECONDS[unit]
        if count == count.to_integral_value() and (count or unit == "s"):
            return f"{int(count)}{unit}"
    return f"{(amount * 1000).normalize():f}ms"


def read_size(text: str) -> int:
    """Bytes of `0B`, `64KiB`, `10MiB` or `1GiB`."""
    amount, unit = _split(text)
    return int(amount) * _BYTES[unit]


def write_size(size: int) -> str:
    """The shortest exact spelling of `size` bytes: 65536 is `64KiB`."""
    unit = next(
        unit for unit in ("GiB", "MiB", "KiB", "B") if size % _BYTES[unit] == 0 and (size or unit == "B")
    )
    return f"{size // _BYTES[unit]}{unit}"


def read_rate(text: str) -> float:
    """So many per second, of `50/s`, `600/m` or `1000/h`."""
    count, unit = text.split("/")
    if int(count) == 0:
        raise ValueError("should be more than 0")
    return float(int(count) / _SECONDS[unit])


def write_rate(rate: float) -> str:
    """The shortest spelling of `rate` per second: 10.0 is `10/s`."""
    counts = {unit: rate * float(_SECONDS[unit]) for unit in ("s", "m", "h")}
    unit = next((unit for unit, count in counts.items() if abs(count - round(count)) < 1e-6), "h")
    return f"{round(counts[unit])}/{unit}"


def _split(text: str) -> tuple[str, str]:
    amount = text.rstrip(string.ascii_letters)
    return amount, text.removeprefix(amount)


def _read_period(text: str) -> float:
    seconds = read_duration(text)
    if seconds == 0:
        raise ValueError("should be more than 0s")
    return seconds


def _read_window(text: str) -> float:
    seconds = _read_period(text)
    if seconds >= DAY:
        raise ValueError("should be under 24h, the time for which the platform itself knows a repeat")
    return seconds


def _read_space(text: str) -> int:
    size = read_size(text)
    if size == 0:
        raise ValueError("should be more than 0B")
    return size


DURATION = Spelling("a duration", ("250ms", "5m"), _DURATION, read_duration, write_duration)

Duration = Annotated[float, DURATION]
"""Seconds, 0 or more."""

Period = Annotated[float, Spelling("a duration", ("250ms", "5m"), _DURATION, _read_period, write_duration)]
"""Seconds, more than 0."""

Window = Annotated[float, Spelling("a duration", ("5m", "23h"), _DURATION, _read_window, write_duration)]
"""Seconds for which repeats are recognised: more than 0 and less than the platform's day."""

Size = Annotated[int, Spelling("a size", ("64KiB", "10MiB"), _SIZE, read_size, write_size)]
"""Bytes, 0 or more."""

Space = Annotated[int, Spelling("a size", ("64KiB", "10MiB"), _SIZE, _read_space, write_size)]
"""Bytes, more than 0."""

Rate = Annotated[float, Spelling("a rate", ("50/s", "600/m"), _RATE, read_rate, write_rate)]
"""So many per second, more than 0."""
