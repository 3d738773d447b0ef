"""gateway.control.html: text never becomes markup."""

import pytest

from gateway.control.html import Html, h, together


@pytest.mark.parametrize("text", ["<script>", '"quoted"', "a & b", "'", "</td><td>"])
def test_text_and_attributes_are_escaped(text: str) -> None:
    made = h("p", text, title=text).markup
    inner = made.removeprefix("<p title=").removesuffix("</p>")
    assert inner.count("<") == 0
    assert inner.count('"') == 2
    assert inner.count(">") == 1


def test_markup_that_was_made_here_is_taken_as_it_is() -> None:
    assert h("ul", [h("li", word) for word in ("a", "b")]).markup == "<ul><li>a</li><li>b</li></ul>"
    assert together("<", h("b", 1), None) == Html("&lt;<b>1</b>")


def test_attributes_that_say_nothing_are_left_out() -> None:
    made = h("a", class_="x", href=None, defer=True, hidden=False, aria_label="y", tabindex=0)
    assert made.markup == '<a class="x" defer aria-label="y" tabindex="0"></a>'


def test_elements_without_content_are_not_closed() -> None:
    assert h("meta", charset="utf-8").markup == '<meta charset="utf-8">'


def test_what_is_no_part_of_a_page_is_refused() -> None:
    with pytest.raises(TypeError, match="not a part of a page: float"):
        h("p", 1.5)
