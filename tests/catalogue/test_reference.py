"""The page for users says what the data says."""

from pathlib import Path

import pytest

from gateway.catalogue.loading import build, load
from gateway.catalogue.reference import BEGIN, END, renewed, tables

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "catalogue.md"


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text("utf-8")
    assert renewed(page, load()) == page


def test_a_row_says_everything_that_is_particular_about_a_method() -> None:
    things = """
things/add:
  effect: modify
  summary: Create things.
  source: developer-guide/things/1
  path: things/add/
  parameters: {id: integer, names: [string], data: {name: string}}
  item_results: result
  invalidates: ["thing:{id}", things]
  window: 82800
  repeats: content
  token: none
things/get:
  effect: read
  summary: Read a thing.
  source: Guide, page 2
  ttl: 0.5
"""
    assert tables(build({"things": things})) == (
        "### things: 2\n"
        "\n"
        "| method | effect | what it does | parameters | kept | tags | also |\n"
        "|---|---|---|---|---|---|---|\n"
        "| [`things/add`](https://guides.altcraft.com/en/developer-guide/things/1) | modify | Create things. "
        "| id integer, names [string], data object |  | `thing:{id}` `things` "
        "| written `things/add/`; a code per item in `result`; repeats known for 23 h; "
        "`Request-ID` from the content; no token is put in |\n"
        "| `things/get` | read | Read a thing. |  | 0.5 |  | Guide, page 2 |\n"
    )


@pytest.mark.parametrize("page", ["", BEGIN, END, END + BEGIN])
def test_a_page_without_a_place_for_the_tables_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="lacks one of the marks"):
        renewed(page, load())
