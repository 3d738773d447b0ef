"""Dashboards are what Grafana reads: by its own types, and by its own library."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.dashboards.drawn import NAMES, Board, board, panels

SCHEMA = json.loads((Path(__file__).parent / "schema" / "dashboard.schema.json").read_text())
OLDEST, NEWEST = 39, 41
"""Versions of the classic format that a current Grafana migrates without a word."""


def problems(content: Board) -> list[str]:
    validator = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(content)]


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_valid_by_grafanas_types(name: str) -> None:
    assert problems(board(name)) == []


def test_the_schema_notices_a_wrong_type_and_a_wrong_word() -> None:
    content = board("overview")
    content["graphTooltip"] = 7
    panels(content)[0]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "relative"

    assert len(problems(content)) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_library_reads_back_what_it_wrote(name: str) -> None:
    register_default_plugins()
    content = board(name)
    for annotation in content["annotations"]["list"]:
        del annotation["titleFormat"], annotation["step"]  # not in its model of an annotation

    read = Dashboard.from_json(content)

    assert json.loads(JSONEncoder(sort_keys=True).encode(read)) == content


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_can_be_provisioned(name: str) -> None:
    content = board(name)

    assert "id" not in content
    assert "__inputs" not in content
    assert content["uid"].startswith("gateway-")
    assert OLDEST <= content["schemaVersion"] <= NEWEST


def test_no_two_dashboards_share_an_id_or_a_title() -> None:
    for key in ("uid", "title"):
        assert len({board(name)[key] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_panels_stand_side_by_side(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board(name)["panels"]:
        for cell in _cells(panel["gridPos"]):
            assert 0 <= cell[0] < 24, f"{panel['title']} stands out"
            assert cell not in taken, f"{panel['title']} covers {taken[cell]}"
            taken[cell] = panel["title"]
    height = 1 + max(y for _, y in taken)
    assert len(taken) == 24 * height, "there is a hole"


def _cells(place: dict[str, Any]) -> list[tuple[int, int]]:
    return [
        (x, y)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_has_a_number_and_a_title_of_its_own(name: str) -> None:
    content = board(name)

    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])
    assert len({panel["title"] for panel in panels(content)}) == len(panels(content))


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_the_question_that_it_answers(name: str) -> None:
    for panel in panels(board(name)):
        assert "?" in panel["description"], panel["title"]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_dashboards_that_exist(name: str) -> None:
    text = json.dumps(board(name))
    known = {board(other)["uid"] for other in NAMES}

    for part in text.split('"/d/')[1:]:
        assert part.partition("?")[0] in known
