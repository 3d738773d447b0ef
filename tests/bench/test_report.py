"""The figures as text."""

import pytest

from bench.cases import JSON_WRITE, XML_WRITE, Case
from bench.load import Tally
from bench.measure import Figures, Sample
from bench.peer import Peer
from bench.report import BEGIN, END, Report, markdown, replace_section, table

OURS = Peer("ours", "the one", lambda _place: [], (JSON_WRITE, XML_WRITE))
THEIRS = Peer("theirs", "the other", lambda _place: [], (JSON_WRITE,))


def figures(peer: Peer, case: Case, *cpu_micros: float) -> Figures:
    tally = Tally(calls=3000, seconds=2.0, p50=0.00125, p99=0.0175, failed=0)
    samples = tuple(Sample(micros / 1e6, tally) for micros in cpu_micros)
    return Figures(peer, case, samples, 31_600_000, 42_400_000)


def test_a_table_has_medians_spread_and_ratios() -> None:
    text = table([figures(OURS, JSON_WRITE, 90, 120, 100), figures(THEIRS, JSON_WRITE, 70, 80, 90)])

    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert rows[2] == ["ours", "100.0", "90.0-120.0", "1.00 x", "1500", "1.25", "17.50", "32", "42"]
    assert rows[3] == ["theirs", "80.0", "70.0-90.0", "1.25 x", "1500", "1.25", "17.50", "32", "42"]


def test_a_table_is_markdown_of_even_lines() -> None:
    lines = table([figures(OURS, JSON_WRITE, 100), figures(THEIRS, JSON_WRITE, 80)]).splitlines()

    assert set(lines[1]) == set("|-: ")
    assert len({(len(line), line.count("|")) for line in lines}) == 1


def test_a_report_compares_cases_and_says_who_was_left_out() -> None:
    report = Report(
        machine=["2 x processor"],
        setting="One round.",
        figures=[
            figures(OURS, JSON_WRITE, 100),
            figures(THEIRS, JSON_WRITE, 80),
            figures(OURS, XML_WRITE, 130),
        ],
        left_out=[("third", "not installed")],
    )

    lines = markdown(report).splitlines()

    assert "- 2 x processor" in lines
    assert "- left out: third: not installed" in lines
    assert [line for line in lines if line.startswith("**")] == [
        "**forwarded JSON write**",
        "**forwarded XML write**",
        "**what the gateway set itself**",
    ]


def test_only_the_section_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold \\1\n{END}\nafter\n"

    assert replace_section(page, "new \\1\n") == f"before\n{BEGIN}\n\nnew \\1\n\n{END}\nafter\n"


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the figures"):
        replace_section("a page", "figures")
