"""Durations, sizes and rates, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from gateway.settings.units import (
    Duration,
    Period,
    Rate,
    Size,
    Space,
    Window,
    write_duration,
    write_rate,
    write_size,
)

DURATION = TypeAdapter[float](Duration)
SIZE = TypeAdapter[int](Size)
RATE = TypeAdapter[float](Rate)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("250ms", 0.25),
        ("0.5ms", 0.0005),
        ("3s", 3.0),
        ("1.1s", 1.1),
        ("5m", 300.0),
        ("1.5h", 5400.0),
        ("24h", 86400.0),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert DURATION.validate_python(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("100B", 100), ("64KiB", 65536), ("10MiB", 10485760), ("2GiB", 2147483648)]
)
def test_a_size_is_bytes(text: str, size: int) -> None:
    assert SIZE.validate_python(text) == size


@pytest.mark.parametrize(
    "value",
    [
        0,
        5,
        1.5,
        True,
        None,
        "",
        "0",
        "5",
        "s",
        "5 s",
        " 5s",
        "5s\n",
        "-1s",
        "5S",
        "5sec",
        "1h30m",
        ".5s",
        "5.s",
        "1e3s",
    ],
    ids=repr,
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="should be a duration, such as 250ms or 5m"):
        DURATION.validate_python(value)


@pytest.mark.parametrize(
    "value", [0, 1024, "0", "1024", "1.5MiB", "10MB", "10M", "64kib", "-1B", "1e3B"], ids=repr
)
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="should be a size, such as 64KiB or 10MiB"):
        SIZE.validate_python(value)


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (Period, "0s", "should be more than 0s"),
        (Space, "0KiB", "should be more than 0B"),
        (Window, "0ms", "should be more than 0s"),
        (Window, "24h", "should be under 24h"),
    ],
)
def test_bounds(kind: Any, text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.25, "250ms"),
        (0.0005, "0.5ms"),
        (1.1, "1100ms"),
        (3.0, "3s"),
        (90.0, "90s"),
        (5400.0, "90m"),
        (86400.0, "24h"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert write_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1, "1B"), (1025, "1025B"), (65536, "64KiB"), (1536 * 1024, "1536KiB")]
)
def test_a_size_is_written_in_its_largest_whole_unit(size: int, text: str) -> None:
    assert write_size(size) == text


@given(st.integers(0, 10**9 - 1), st.sampled_from(["ms", "s", "m", "h"]))
def test_a_duration_survives_being_written_and_read(count: int, unit: str) -> None:
    seconds = DURATION.validate_python(f"{count}{unit}")
    written = DURATION.dump_python(seconds, mode="json")
    assert DURATION.validate_python(written) == seconds


@given(st.integers(0, 10**9 - 1), st.sampled_from(["B", "KiB", "MiB", "GiB"]))
def test_a_size_survives_being_written_and_read(count: int, unit: str) -> None:
    size = SIZE.validate_python(f"{count}{unit}")
    assert SIZE.validate_python(SIZE.dump_python(size, mode="json")) == size


@pytest.mark.parametrize(
    ("text", "rate"), [("50/s", 50.0), ("600/m", 10.0), ("1/m", 1 / 60), ("3600/h", 1.0)]
)
def test_a_rate_is_so_many_a_second(text: str, rate: float) -> None:
    assert RATE.validate_python(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    "value", [50, "50", "50/", "/s", "50/d", "1.5/s", "-1/s", "50 /s", "50/s\n"], ids=repr
)
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="should be a rate, such as 50/s or 600/m"):
        RATE.validate_python(value)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="should be more than 0"):
        RATE.validate_python("0/s")


@pytest.mark.parametrize(("rate", "text"), [(50.0, "50/s"), (10.0, "10/s"), (1.5, "90/m"), (1 / 3600, "1/h")])
def test_a_rate_is_written_in_its_shortest_whole_unit(rate: float, text: str) -> None:
    assert write_rate(rate) == text


@given(st.integers(1, 10**6 - 1), st.sampled_from(["s", "m", "h"]))
def test_a_rate_survives_being_written_and_read(count: int, unit: str) -> None:
    rate = RATE.validate_python(f"{count}/{unit}")
    assert RATE.validate_python(RATE.dump_python(rate, mode="json")) == pytest.approx(rate)
