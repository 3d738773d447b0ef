"""Log lines for people: in columns, in colours for those who see them, and nobody can forge one."""

from datetime import timedelta, timezone

import pytest
from msgspec.structs import replace

from gateway.observe.calllog import CallLog, Choice
from gateway.observe.lines import moment
from gateway.observe.textlines import TextLines
from gateway.records import CallRecord
from gateway.terminal import NOBODY, Terminal

EVENT = {
    "time": moment(1763928000.25),
    "level": "warning",
    "logger": "gateway.ways",
    "message": "the breaker of eu is open",
    "event": "breaker_changed",
    "account": "eu",
}
COLOURS = Terminal(attended=True, colours=True)


def line(record: CallRecord, terminal: Terminal = NOBODY) -> str:
    lines: list[bytes] = []
    CallLog(lines.append, TextLines(terminal).render, Choice(slow=10.0), lambda: 0.5).call(record)
    [written] = lines
    return written.decode()


def test_a_call_is_one_line_of_columns(a_call: CallRecord) -> None:
    assert line(a_call) == (
        "2025-11-23T20:00:00.250Z  info      0  profiles/get                     250.0 ms  upstream"
        "  cache=bypass caller=crm request_id=0192f0c1-7b1a-7c3e-9b1a-0123456789ab\n"
    )


def test_a_call_that_failed_says_why_first(a_call: CallRecord) -> None:
    record = replace(
        a_call, code=502, status=502, origin="gateway", error="upstream-reset", error_text="broke off"
    )
    assert line(record) == (
        "2025-11-23T20:00:00.250Z  warn    502  profiles/get                     250.0 ms  gateway "
        '  error=upstream-reset error_text="broke off" cache=bypass status=502 caller=crm'
        " request_id=0192f0c1-7b1a-7c3e-9b1a-0123456789ab\n"
    )


def test_a_call_that_was_slow_says_so(a_call: CallRecord) -> None:
    assert " warn      0  profiles/get                   10000.0 ms  upstream  slow cache=bypass" in line(
        replace(a_call, seconds=10.0)
    )
    assert "slow" not in line(a_call)
    assert "slow" not in line(replace(a_call, code=404))


@pytest.mark.parametrize("seconds", [0.0001, 0.25, 59.9])
@pytest.mark.parametrize("code", [0, 404, None])
@pytest.mark.parametrize("method", ["a/b", "workflows/import_and_start"])
def test_columns_stand_under_one_another(
    a_call: CallRecord, seconds: float, code: int | None, method: str
) -> None:
    record = replace(a_call, seconds=seconds, code=code, api_method=method)
    assert line(record).index(" ms  upstream") == line(a_call).index(" ms  upstream")


def test_what_is_as_usual_is_left_out(a_call: CallRecord) -> None:
    plain = replace(a_call, caller="", cache=None, request_id="")
    assert line(plain).rstrip().endswith("ms  upstream")
    unusual = replace(plain, account="eu", attempts=2, duplicate=True, queue_seconds=0.5)
    assert line(unusual).endswith("  attempts=2 duplicate=true account=eu queue_seconds=0.5\n")
    assert "queue_seconds" not in line(replace(plain, queue_seconds=3.8e-05))


def test_a_method_that_the_catalogue_does_not_know_is_shown_as_it_was_called(a_call: CallRecord) -> None:
    assert "  vendor/new  " in line(replace(a_call, api_method="other", called="vendor/new"))
    assert "  other  " in line(replace(a_call, api_method="other", called=""))


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
def test_what_a_caller_chose_stays_one_value(a_call: CallRecord, called: str, shown: str) -> None:
    written = line(replace(a_call, api_method="other", called=called, request_id=called))
    assert written.count("\n") == 1
    assert f"  {shown} " in written
    assert written.endswith(f" request_id={shown}\n")


def test_an_event_is_its_sentence_and_who_says_it() -> None:
    assert TextLines(NOBODY).render(EVENT) == (
        b"2025-11-23T20:00:00.250Z  warn   the breaker of eu is open  [ways]\n"
    )


def test_a_message_of_several_lines_is_one_text_line() -> None:
    written = TextLines(NOBODY).render({**EVENT, "message": "first\nsecond \udcff"})
    assert written.endswith(b"  first\\nsecond \\udcff  [ways]\n")


def test_a_traceback_follows_indented() -> None:
    written = TextLines(NOBODY).render({**EVENT, "exception": "Traceback:\n  File x\nValueError: a\x1bb"})
    assert written.decode().splitlines()[1:] == [
        "    Traceback:",
        "      File x",
        "    ValueError: a\\u001bb",
    ]


def test_a_level_that_a_library_invented_is_shown() -> None:
    assert b"  trace  " in TextLines(NOBODY).render({**EVENT, "level": "trace"})


def test_colours_go_around_whole_columns_and_change_no_width(a_call: CallRecord) -> None:
    coloured = line(replace(a_call, code=404), COLOURS)
    assert "\x1b[33m 404\x1b[0m" in coloured
    plain = coloured
    for code in ("0", "1", "2", "31", "32", "33", "36"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain[13:] == line(replace(a_call, code=404))[25:]


def test_a_person_sees_the_time_of_day_where_they_are(a_call: CallRecord) -> None:
    here = Terminal(attended=True, zone=timezone(timedelta(hours=3)))
    assert line(a_call, here).startswith("23:00:00.250  info ")
