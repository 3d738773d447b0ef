"""The reference pages say what the code does: each row is compared with what is there."""

from pathlib import Path

from msgspec.structs import fields as fields_of

from gateway.observe.metrics import Metrics
from gateway.records import CallRecord

PAGES = Path(__file__).parents[2] / "docs" / "reference"


def table(page: str, header: str) -> list[str]:
    """The rows of the table that begins with `header`."""
    lines = iter((PAGES / page).read_text().splitlines())
    for line in lines:
        if line == header:
            next(lines)
            break
    else:
        raise AssertionError(f"{page} has no table {header}")
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(line)
    return rows


def first_cells(rows: list[str]) -> list[str]:
    return [row.split("|")[1].strip().strip("`") for row in rows]


def test_every_metric_has_its_row(metrics: Metrics) -> None:
    expected = []
    for family in metrics.families:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        expected.append(f"| `{family.name}` | {family.kind} | {labels} | {family.help} |")

    assert table("metrics.md", "| metric | type | labels | meaning |") == expected


def test_the_bounds_of_every_histogram_are_named(metrics: Metrics) -> None:
    samples = [(family, metric) for family in metrics.families for metric in family.collect()]
    expected = []
    for family, metric in samples:
        if family.kind == "histogram":
            bounds = list(
                dict.fromkeys(sample.labels["le"] for sample in metric.samples if "le" in sample.labels)
            )
            expected.append(f"| `{family.name}` | {', '.join(bounds[:-1])} |")

    assert table("metrics.md", "| metric | `le`, in seconds |") == expected


def test_every_label_is_explained(metrics: Metrics) -> None:
    used = {label for family in metrics.families for label in family.labels}

    assert set(first_cells(table("metrics.md", "| label | values |"))) == used - {"version", "python"}


def test_every_field_of_a_call_has_its_row() -> None:
    common = ["time", "level", "logger", "message"]
    _, *tables = (PAGES / "log.md").read_text().split("| field | value |\n")
    described = [
        first_cells([line for line in text.split("\n\n")[0].splitlines() if line.startswith("| `")])
        for text in tables
    ]

    assert described[0] == common
    assert described[1] == ["exception"]
    of_record = [field.name for field in fields_of(CallRecord) if field.name not in (*common, "trace")]
    assert described[2] == [*of_record, "trace_id", "span_id"]
