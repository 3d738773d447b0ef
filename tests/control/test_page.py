"""gateway.control.page: the document, whatever it has to show."""

import asyncio
import math

import lxml.html
import pytest

from gateway.control import charts
from gateway.control.html import ELEMENTS_PER_TURN
from gateway.control.page import CONTENT_SECURITY_POLICY, page
from gateway.control.status import Finding, Status, Verdict
from gateway.control.view import View
from gateway.settings.model import Settings
from gateway.settings.shown import shown
from tests.control.samples import failure, method, point, status, token

EVIL = "<script>alert(1)</script>\"'&"


def shown_page(what: Status, view: View | None = None) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(asyncio.run(page(what, view or View())))


def rows(document: lxml.html.HtmlElement, section: str) -> list[list[str]]:
    return [
        [cell.text_content() for cell in row] for row in document.xpath(f"//*[@id='{section}']//tbody/tr")
    ]


def test_whether_it_is_well_stands_first() -> None:
    finding = Finding(level="critical", turn="platform", text="it is down")
    verdict = Verdict(level="critical", headline="Not well: the platform", findings=(finding,))
    document = shown_page(status(verdict=verdict))
    [first, *_] = document.xpath("//main/*")
    assert (first.tag, first.get("class")) == ("section", "verdict critical")
    assert first.xpath(".//h2")[0].text_content() == "Not well: the platform"
    assert first.xpath(".//li")[0].text_content() == "platform it is down"
    assert document.xpath("//title")[0].text_content() == "not well · gateway"


def test_a_method_has_its_codes_and_times_in_one_row() -> None:
    row = method(
        "profiles/add", 300, failed=150, codes={"402": 140}, errors={"upstream-reset": 10}, hit_ratio=0.25
    )
    [cells] = rows(shown_page(status(methods=(row,))), "methods")
    assert cells == ["profiles/add", "1.00", "50 %", "402 × 140upstream-reset × 10", "25 %", "12 ms", "90 ms"]


def test_a_failed_call_is_told_with_its_reason() -> None:
    own = failure(code=502, error="upstream-reset", error_text="gateway: it broke off", turn="platform")
    without = failure(code=None, status=502, caller="", api_method="other", called="vendor/new")
    cells, more = rows(shown_page(status(failures=(own, without))), "failures")
    assert cells[1:6] == ["502", "profiles/get", "platform", "12 ms", "gateway: it broke off"]
    assert more[1:3] == ["–", "vendor/new"]


def test_nothing_to_show_is_said() -> None:
    text = shown_page(status(methods=(), failures=(), traffic=())).text_content()
    assert "No calls yet." in text
    assert "None yet." in text
    filtered = shown_page(status(), View(text="zzz")).text_content()
    assert "No method matches." in filtered
    assert "None matches." in filtered


def test_settings_that_are_not_the_default_stand_out() -> None:
    changed = Settings.model_validate({"log": {"calls": "errors"}})
    document = shown_page(status(configuration=shown(changed)))
    [row] = document.xpath("//*[@id='configuration']//tr[@class='changed']")
    assert [cell.text_content() for cell in row] == ["log.calls", "errors", "default all"]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        pytest.param({}, "well", id="well"),
        pytest.param({"age_seconds": None, "problem": ""}, "not there yet", id="missing"),
        pytest.param({"rejected_at": 1763928090.0}, "rejected 10 s ago", id="rejected"),
        pytest.param({"problem": "file /t: there is no token"}, "file /t: there is no token", id="kept"),
    ],
)
def test_a_token_is_told_by_source_age_and_state(state: dict[str, object], text: str) -> None:
    document = shown_page(status(tokens=(token(**state),)))
    [row] = document.xpath("//section[h2='Tokens']//tbody/tr")
    assert row[3].text_content() == text


def test_what_callers_and_the_platform_say_is_never_markup() -> None:
    what = status(
        methods=(method(EVIL, codes={EVIL: 1}),),
        failures=(failure(called=EVIL, api_method="other", error_text=EVIL, request_id=EVIL, caller=EVIL),),
        tokens=(token(problem=EVIL),),
        verdict=Verdict(
            level="warning",
            headline=EVIL,
            findings=(Finding(level="warning", turn="gateway", text=EVIL),),
        ),
    )
    document = shown_page(what, View(text=EVIL))
    assert [script.get("src") for script in document.xpath("//script")] == ["/-/static/page.js"]
    assert document.xpath("//input[@name='q']")[0].get("value") == EVIL


def test_nothing_in_it_needs_more_than_the_policy_allows() -> None:
    document = shown_page(status())
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not document.xpath("//style | //*[@style]")
    assert not [name for element in document.iter() for name in element.attrib if name.startswith("on")]
    addresses = document.xpath("//@href | //@src | //@action")
    assert all(address.startswith(("/", "?", "./")) or address == "" for address in addresses)


def test_sorting_by_a_head_turns_the_order_around() -> None:
    document = shown_page(status(), View(sort="-p99"))
    [head] = document.xpath("//th[@aria-sort]")
    assert (head.get("aria-sort"), head.text_content()) == ("descending", "p99")
    assert document.xpath("//*[@id='sort-p99']")[0].get("href") == "?sort=p99"
    assert document.xpath("//*[@id='sort-calls']")[0].get("href") == "./"


def test_bytes_that_are_no_utf_8_cost_no_page() -> None:
    asyncio.run(page(status(failures=(failure(api_method="other", called="a\udcffb"),)), View())).decode()


@pytest.mark.parametrize("count", [0, 1, 3, 75, 80])
def test_charts_can_be_drawn_of_any_traffic(count: int) -> None:
    points = [
        point(1763928000.0 + 4 * n, platform=float(n), p50_seconds=None if n % 3 else 0.01)
        for n in range(count)
    ]
    for drawn in (charts.calls(points), charts.latency(points)):
        assert drawn.markup.count("<rect ") == min(count, charts.COLUMNS)
        assert "nan" not in drawn.markup
        assert "inf" not in drawn.markup.replace("infinity", "")


def test_a_chart_says_each_of_its_points() -> None:
    drawn = charts.calls([point(1763928000.0, account=1.0)])
    assert "20:00:00: 3.00 calls/s (account 1.00)" in drawn.markup
    assert math.isclose(charts.WIDTH / charts.COLUMNS, 8)


async def turns_of_others_while(what: Status) -> int:
    """How often somebody else on the loop gets its turn while the page is made."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await page(what, View())
    task.cancel()
    return turns


def test_a_page_with_many_rows_lets_others_on_the_loop_in_between() -> None:
    many = status(
        methods=tuple(method(f"family/method{n}") for n in range(120)),
        failures=tuple(failure() for _ in range(100)),
    )
    assert asyncio.run(turns_of_others_while(many)) >= 220 / ELEMENTS_PER_TURN
