"""Log lines as JSON: whole, on one line, and readable by others."""

import json
from datetime import UTC, datetime

import pytest

from gateway.observe.lines import moment, render_json

HEAD = {"time": moment(1763928000.25), "level": "info", "logger": "gateway.calls", "message": "call"}


def test_time_is_rfc_3339_in_utc() -> None:
    line = json.loads(render_json(HEAD))

    assert line["time"] == "2025-11-23T20:00:00.250000Z"
    assert datetime.fromisoformat(line["time"]) == datetime(2025, 11, 23, 20, 0, 0, 250000, tzinfo=UTC)


def test_a_json_line_is_one_object_with_the_fields_in_order() -> None:
    line = render_json(
        {**HEAD, "code": 0, "cache": None, "duplicate": False, "conversions": ("xml_to_json",)}
    )

    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")
    assert list(json.loads(line).items()) == [
        ("time", "2025-11-23T20:00:00.250000Z"),
        ("level", "info"),
        ("logger", "gateway.calls"),
        ("message", "call"),
        ("code", 0),
        ("cache", None),
        ("duplicate", False),
        ("conversions", ["xml_to_json"]),
    ]


def test_bytes_that_are_no_utf_8_cost_no_line() -> None:
    line = render_json({**HEAD, "called": "a\udcffb", "code": 0})

    line.decode()
    assert b'"code":0' in line


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x00", "\u2028", "\x85", '{"a": 1}', "é😀"])
def test_any_text_comes_back_from_a_json_line(text: str) -> None:
    line = render_json({**HEAD, "called": text})

    assert json.loads(line)["called"] == text
    assert line.count(b"\n") == 1
