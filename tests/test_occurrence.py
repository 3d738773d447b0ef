"""gateway.occurrence: names of what happens, carried by a log record."""

import logging
from pathlib import Path
from typing import get_args

import pytest

from gateway.occurrence import Event, event, of

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "log.md"


def test_a_record_carries_its_event(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("somebody").warning("it failed", extra=event("store_failed", store="journal"))
    assert dict(of(caplog.records[0])) == {"event": "store_failed", "store": "journal"}


def test_a_record_that_is_only_a_sentence_carries_none(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("somebody").warning("well")
    assert dict(of(caplog.records[0])) == {}


def test_every_name_has_its_row_in_the_reference() -> None:
    _, text = PAGE.read_text().split("| `event` | beside it | when |\n")
    rows = [line.split("|")[1].strip(" `") for line in text.split("\n\n")[0].splitlines()[1:]]
    assert rows == list(get_args(Event))
