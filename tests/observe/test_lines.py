"""Log lines as JSON and as text: whole, on one line, and readable by others."""

import json
from datetime import UTC, datetime

import pytest

from gateway.observe.lines import moment, render_json, render_text, renderer

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


def test_a_text_line_says_only_what_there_is_to_say() -> None:
    fields = {
        **HEAD,
        "api_method": "profiles/get",
        "code": 0,
        "cache": None,
        "error": "",
        "conversions": (),
        "duplicate": False,
        "seconds": 0.25,
    }

    assert render_text(fields) == (
        b"2025-11-23T20:00:00.250000Z info gateway.calls call"
        b" api_method=profiles/get code=0 duplicate=false seconds=0.25\n"
    )


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        pytest.param("profiles/get", "profiles/get", id="a word"),
        pytest.param("two words", '"two words"', id="a space"),
        pytest.param("a=b", '"a=b"', id="the sign between name and value"),
        pytest.param('say "x"', '"say \\"x\\""', id="quotes"),
        pytest.param("a\nlevel=error", '"a\\nlevel=error"', id="a new line"),
        pytest.param("\x1b[31mred", '"\\u001b[31mred"', id="a terminal's escape"),
        pytest.param("\x9b31m", '"\\u009b31m"', id="a terminal's other escape"),
        pytest.param("\u2028", '"\\u2028"', id="a line separator"),
        pytest.param("\udcff", '"\\udcff"', id="a byte that is no UTF-8"),
    ],
)
def test_what_a_caller_chose_stays_one_value_of_a_text_line(called: str, shown: str) -> None:
    line = render_text({**HEAD, "called": called})

    assert line == f"2025-11-23T20:00:00.250000Z info gateway.calls call called={shown}\n".encode()


def test_a_message_of_several_lines_is_one_text_line() -> None:
    line = render_text({**HEAD, "message": "first\nsecond \udcff"})

    assert line == b"2025-11-23T20:00:00.250000Z info gateway.calls first\\nsecond \\udcff\n"


def test_a_traceback_follows_its_text_line_indented() -> None:
    line = render_text({**HEAD, "exception": "Traceback:\n  File x\nValueError: a\x1bb"})

    assert line.decode().splitlines()[1:] == ["    Traceback:", "      File x", "    ValueError: a\\u001bb"]


@pytest.mark.parametrize("style", ["json", "text"])
def test_bytes_that_are_no_utf_8_cost_no_line(style: str) -> None:
    line = renderer("json" if style == "json" else "text")({**HEAD, "called": "a\udcffb", "code": 0})

    line.decode()
    assert b'"code":0' in line or b"code=0" in line


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "\x00", "\u2028", "\x85", '{"a": 1}', "é😀"])
def test_any_text_comes_back_from_a_json_line(text: str) -> None:
    line = render_json({**HEAD, "called": text})

    assert json.loads(line)["called"] == text
    assert line.count(b"\n") == 1
