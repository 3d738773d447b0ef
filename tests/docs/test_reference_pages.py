"""Nothing that is seen from outside lacks its entry in the reference: errors, headers, commands.

Metrics, labels and log fields are compared in tests/observe, settings in tests/settings, methods in
tests/catalogue.
"""

import inspect
import re
from pathlib import Path

import pytest

from gateway import errors, headers
from gateway.cli import commands
from gateway.commands.reference import page

DOCS = Path(__file__).parents[2] / "docs"
KINDS = [kind for _, kind in inspect.getmembers(errors) if isinstance(kind, errors.ErrorKind)]
READ_HEADERS = [value for name, value in vars(headers).items() if name.isupper() and isinstance(value, bytes)]
FRAMING = {
    b"content-length",
    b"content-encoding",
    b"transfer-encoding",
    b"expect",
}  # HTTP's own: what they do is under the errors they cause


def page_text(name: str) -> str:
    return (DOCS / "reference" / name).read_text("utf-8")


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    """If this fails, the head of gateway/commands/reference.py says how to renew it."""
    assert page_text("commands.md") == page(commands)


def test_the_readme_names_every_command() -> None:
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    assert [name for name in commands.commands if f"`gateway {name}" not in readme] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_error_has_its_row(kind: errors.ErrorKind) -> None:
    row = f"| {kind.status} | {kind.code} | `{kind.name}` | `{kind.proxy_status}` |"
    assert row in page_text("errors.md")


def test_no_row_describes_an_error_that_there_is_not() -> None:
    named = re.findall(r"^\| \d{3} \| \d{3} \| `([a-z-]+)`", page_text("errors.md"), re.MULTILINE)
    assert sorted(named) == sorted(kind.name for kind in KINDS)


@pytest.mark.parametrize("header", sorted(set(READ_HEADERS) - FRAMING))
def test_every_header_that_is_read_has_its_entry(header: bytes) -> None:
    assert f"`{header.decode()}`" in page_text("headers.md").lower()


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    broken = [
        f"{path.relative_to(DOCS.parent)}: {target}"
        for path in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert broken == []
