"""How YAML becomes a catalogue, and what is refused on the way. Facts of the shipped data: test_data.py."""

import pytest

from gateway.catalogue.loading import CatalogueError, build
from gateway.catalogue.model import ApiMethod, Effect, Repeats
from gateway.catalogue.shape import Kind, Shape

SHAPES = """
paging: {from_id: integer, limit: integer}
list: {data: [$paging]}
"""
READ = """
things/list:
  effect: read
  summary: List things.
  source: developer-guide/things/1
  path: things/list/
  takes: [paging]
  parameters: {limit: any, kind: string}
  reply: {result: [wrapped, {error: integer}]}
  tags: ["thing:*"]
  ttl: 60
"""
WRITE = """
things/add:
  effect: modify
  summary: Create a thing.
  source: Developer guide, Things, page 2
  invalidates: ["thing:*"]
  window: 82800
  repeats: content
"""
INTEGER = Shape(Kind.INTEGER)


def test_an_entry_becomes_a_method() -> None:
    catalogue = build({"shapes": SHAPES, "things": READ + WRITE})
    item = Shape(Kind.OBJECT, {"error": INTEGER})
    assert list(catalogue) == [
        ApiMethod(
            "things/list",
            Effect.READ,
            summary="List things.",
            source="https://guides.altcraft.com/en/developer-guide/things/1",
            path="things/list/",
            parameters=Shape(Kind.OBJECT, {"from_id": INTEGER, "limit": Shape(), "kind": Shape(Kind.STRING)}),
            reply=Shape(Kind.OBJECT, {"result": Shape(Kind.LIST, item=item, wrapped=True)}),
            tags=("thing:*",),
            ttl=60.0,
        ),
        ApiMethod(
            "things/add",
            Effect.MODIFY,
            summary="Create a thing.",
            source="Developer guide, Things, page 2",
            invalidates=("thing:*",),
            window=82800.0,
            repeats=Repeats.CONTENT,
        ),
    ]


def test_the_named_shapes_are_kept_for_method_rules() -> None:
    catalogue = build({"shapes": SHAPES})
    assert set(catalogue.shapes) == {"paging", "list"}
    assert catalogue.shapes["list"].field("data").items == catalogue.shapes["paging"]


@pytest.mark.parametrize(
    ("family", "text", "complaint"),
    [
        pytest.param("things", WRITE + "  ttl: 5s\n", "things/add ttl: must be a number", id="bad value"),
        pytest.param("things", WRITE + "  retries: 3\n", "things/add retries: unknown key", id="unknown key"),
        pytest.param("things", WRITE + WRITE, "a key is given twice, line 2 and below", id="method twice"),
        pytest.param("things", WRITE + "  window: 1\n", "a key is given twice, line 3", id="field twice"),
        pytest.param("others", WRITE, "things/add: belongs into things.yaml", id="another family's file"),
        pytest.param("things", "things/add:\n", "things/add: an entry is a mapping", id="no entry"),
        pytest.param("things", "- things/add\n", "must be a mapping of names to entries", id="list of names"),
        pytest.param("things", "", "must be a mapping of names to entries", id="empty file"),
        pytest.param("things", WRITE.replace("Create a thing.", '""'), "summary: must be a", id="no summary"),
        pytest.param("things", "things/get: {effect: read}", "has no summary or no source", id="no source"),
        pytest.param("things", READ + "  invalidates: [x]\n", "a read changes nothing", id="changing read"),
        pytest.param("things", WRITE + "  tags: [x]\n", "a write depends on nothing", id="depending write"),
        pytest.param("things", WRITE.replace('"thing:*"', ""), "a write names what it changes", id="no tags"),
        pytest.param("things", READ.replace("/list/", "/get/"), "path: spells another method", id="path"),
        pytest.param("things", READ.replace("[paging]", "[x]"), "takes: '.x' is neither", id="unknown shape"),
        pytest.param(
            "things", READ.replace("[paging]", "paging"), "takes: must be a list", id="takes a word"
        ),
        pytest.param("shapes", "a: $b\nb: string\n", r"a: '\$b' is neither", id="shape used before it is"),
    ],
)
def test_a_slip_in_the_files_is_refused_with_its_place(family: str, text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=rf"^{family}\.yaml.*{complaint}"):
        build({"shapes": SHAPES, family: text})


def test_all_faults_of_one_entry_are_told_at_once() -> None:
    with pytest.raises(CatalogueError, match=r"add ttl: .*; things/add retries: "):
        build({"things": WRITE + "  ttl: soon\n  retries: 3\n"})
