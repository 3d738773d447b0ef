"""The figures as text: a table per case, in Markdown that also reads well in a terminal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.goals import GOALS, cpu_micros, p50_millis
from bench.measure import Figures
from bench.plot import bars

BEGIN, END = "<!-- begin: written by `make bench` -->", "<!-- end -->"
_HEADS = (
    "",
    "µs CPU per call",
    "lowest-highest",
    "first costs",
    "calls/s",
    "p50 ms",
    "p99 ms",
    "MB at rest",
    "at most",
)


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the bench."""

    machine: Sequence[str]  # lines: what it ran on, what was installed
    setting: str  # callers, rounds, seconds, who made the load
    figures: Sequence[Figures]  # the first one's peer is who the others are compared with
    left_out: Sequence[tuple[str, str]]  # peer, reason


def markdown(report: Report) -> str:
    parts = ["\n".join(f"- {line}" for line in report.machine), report.setting]
    cases = list(dict.fromkeys(figures.case.name for figures in report.figures))
    for case in cases:
        rows = [figures for figures in report.figures if figures.case.name == case]
        parts += [f"**{case}**", table(rows)]
    parts += ["**what the gateway set itself**", _goals(report.figures), _legend(report)]
    return "\n\n".join(parts) + "\n"


def table(rows: Sequence[Figures]) -> str:
    """The figures of one case. "First costs": the first row's CPU as a multiple of this row's."""
    return _grid([_HEADS, *(_row(figures, cpu_micros(rows[0])) for figures in rows)])


def picture(figures: Sequence[Figures]) -> str:
    """The first case as an SVG."""
    case = figures[0].case
    values = [(each.peer.name, cpu_micros(each)) for each in figures if each.case == case]
    return bars(f"CPU per call: {case.name}", "µs", [values[0], *sorted(values[1:], key=lambda one: one[1])])


def _goals(figures: Sequence[Figures]) -> str:
    heads = ("", "at most", "this run", "reached")
    return _grid([heads, *(goal.row(figures) for goal in GOALS)])


def _grid(cells: Sequence[Sequence[str]]) -> str:
    """The first row is the head."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in [cells[0], rule, *cells[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, numbers to the right."""
    numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "| " + " | ".join([row[0].ljust(widths[0]), *numbers]) + " |"


def _row(figures: Figures, first: float) -> tuple[str, ...]:
    cpu = [sample.cpu_seconds * 1e6 for sample in figures.samples]
    tallies = [sample.tally for sample in figures.samples]
    return (
        figures.peer.name,
        f"{cpu_micros(figures):.1f}",
        f"{min(cpu):.1f}-{max(cpu):.1f}",
        f"{first / cpu_micros(figures):.2f} x",
        f"{median(tally.calls / tally.seconds for tally in tallies):.0f}",
        f"{p50_millis(figures):.2f}",
        f"{median(tally.p99 for tally in tallies) * 1000:.2f}",
        f"{figures.rest_bytes / 1e6:.0f}",
        f"{figures.peak_bytes / 1e6:.0f}",
    )


def _legend(report: Report) -> str:
    peers = dict.fromkeys(figures.peer for figures in report.figures)
    lines = [f"- {peer.name}: {peer.about}" for peer in peers]
    lines += [f"- left out: {name}: {why}" for name, why in report.left_out]
    return "\n".join(lines)


def replace_section(page: str, section: str) -> str:
    """The page with what stands between its two marks replaced. Raises ValueError without marks."""
    marks = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"no place for the figures: {BEGIN} … {END}")
    return marks.sub(lambda _: f"{BEGIN}\n\n{section}\n{END}", page, count=1)
