"""docs/reference/settings.md says what the model says."""

from pathlib import Path

import pytest

from gateway.settings.environment import variable
from gateway.settings.model import Settings
from gateway.settings.reference import renewed, tables
from gateway.settings.structure import keys_of, section_of

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"


def test_the_page_is_up_to_date() -> None:
    """If this fails, the head of gateway/settings/reference.py says how to renew it."""
    page = PAGE.read_text("utf-8")
    assert page == renewed(page)


def test_every_key_with_a_fixed_name_has_one_row_with_its_variable() -> None:
    rows = tables().splitlines()
    for path, hint in keys_of(Settings):
        if section_of(hint) is None:
            [row] = [row for row in rows if row.startswith(f"| `{'.'.join(path)}` |") and "`GATEWAY_" in row]
            assert row.endswith(f"| `{variable(path)}` |")


@pytest.mark.parametrize(
    "row",
    [
        "| `upstream.timeouts.connect` | duration | `3s` | Until a connection is open, TLS included. "
        "| `GATEWAY_UPSTREAM__TIMEOUTS__CONNECT` |",
        "| `log.calls` | `all`, `errors`, `none` | `all` | Which calls get a line. | `GATEWAY_LOG__CALLS` |",
        "| `base_url` | http or https address with a path | required "
        "| The address of the platform for this account. |",
    ],
)
def test_rows_as_they_should_read(row: str) -> None:
    assert row in tables().splitlines()


def test_a_page_without_the_marks_is_not_touched() -> None:
    with pytest.raises(ValueError, match="lacks the two marks"):
        renewed("# Settings\n")
