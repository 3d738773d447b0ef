"""Which texts are tag templates."""

import pytest

from gateway.catalogue.template import EVERYTHING, TagTemplate, parse


@pytest.mark.parametrize(
    ("text", "template"),
    [
        pytest.param("db:{db_id}", TagTemplate("db:{db_id}", "db", parameter="db_id"), id="by parameter"),
        pytest.param("db:*", TagTemplate("db:*", "db", value="*"), id="all of a kind"),
        pytest.param("db:7", TagTemplate("db:7", "db", value="7"), id="always the same"),
        pytest.param("profiles", TagTemplate("profiles", "profiles"), id="plain"),
        pytest.param(EVERYTHING, TagTemplate("*", "*"), id="everything"),
    ],
)
def test_a_template_is_read_by_its_parts(text: str, template: TagTemplate) -> None:
    assert parse(text) == template


@pytest.mark.parametrize(
    "text",
    [
        "",
        "db:",
        "db:{}",
        "db:{db_id",
        "db:db_id}",
        ":7",
        "{db_id}",
        "db:{a}{b}",
        "db:{a b}",
        "**",
        "d b",
        "db:7\n",
        "é",
    ],
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a tag"):
        parse(text)
