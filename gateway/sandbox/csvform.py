"""CSV, the third reply format of the action history, and the usual one of exported files."""

import csv
import io
import json

from gateway.sandbox.values import Fields, Value


def encode(rows: list[Fields]) -> bytes:
    """A header line with every name that occurs, then a line for each row; what is not text is written as
    JSON.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().encode(errors="replace")


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
