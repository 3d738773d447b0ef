"""upstream.rate over real sockets: of one gateway, of two that share it, and across a reload."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gateway.sandbox.sandbox import Sandbox
from tests import valkey
from tests.e2e.caller import Caller, Reply
from tests.e2e.conftest import ENVIRON, GatewayWith, Platform, settings_for
from tests.e2e.process import config_file, serving
from tests.e2e.scraping import scrape_used
from tests.e2e.shared_load import executed, write
from tests.e2e.sharing import fleet_over, is_sharing
from tests.e2e.waiting import until

LIMITED = "gateway_rate_limited_total"
ONE_AN_HOUR = {"upstream": {"rate": "1/h"}, "limits": {"queue_timeout": "0s"}}


def assert_refused(answer: Reply) -> None:
    assert (answer.status, answer.error) == (503, 503)
    assert 3000 < int(answer.header("retry-after") or 0) <= 3600
    assert "upstream.rate" in answer.error_text
    assert "nothing was sent" in answer.error_text


def test_a_call_beyond_the_rate_is_told_when_to_come_again(
    gateway_with: GatewayWith, sandbox: Sandbox
) -> None:
    caller = gateway_with(**ONE_AN_HOUR)
    assert write(caller, "jim").error == 0
    assert_refused(write(caller, "john"))
    assert (executed(sandbox, "jim"), executed(sandbox, "john")) == (1, 0)
    assert scrape_used(caller).value(LIMITED, account="default", outcome="refused") == 1


def test_on_the_status_page_the_rate_at_work_is_no_fault(gateway_with: GatewayWith) -> None:
    caller = gateway_with(**ONE_AN_HOUR)
    write(caller, "jim")
    for number in range(5):
        assert_refused(write(caller, f"name-{number}"))
    status = caller.get("/-/status.json").json()
    assert status["verdict"]["headline"] == "All is well"
    [finding] = status["verdict"]["findings"]
    assert "were refused: more than upstream.rate allows × 5" in finding["text"]
    assert {call["turn"] for call in status["failures"]} == {"caller"}
    [method] = [row for row in status["methods"] if row["failed"]]
    assert method["errors"] == {"upstream.rate": 5}


def test_a_call_waits_for_its_turn(gateway_with: GatewayWith) -> None:
    caller = gateway_with(upstream={"rate": "20/s"})
    assert [write(caller, f"name-{number}").error for number in range(6)] == [0] * 6
    assert scrape_used(caller).value(LIMITED, account="default", outcome="refused") == 0


def test_accounts_have_a_rate_each(gateway_with: GatewayWith, platform: Platform) -> None:
    second = {"base_url": platform.base_url, "token": {"env": "TOKEN"}}
    caller = gateway_with(**ONE_AN_HOUR, accounts={"second": second})
    other = Caller(caller.address, base_path="/accounts/second/api/v1.1/")
    assert write(caller, "jim").error == write(other, "john").error == 0
    assert_refused(write(caller, "jack"))
    assert_refused(write(other, "joe"))


def test_a_reload_takes_another_rate_and_one_that_changes_something_else_keeps_it(
    platform: Platform, tmp_path: Path
) -> None:
    with serving(tmp_path, settings_for(platform.base_url, **ONE_AN_HOUR), ENVIRON) as gateway:
        caller = gateway.caller
        assert write(caller, "jim").error == 0

        taken(tmp_path, caller, platform, **ONE_AN_HOUR, methods={"profiles/get": {"ttl": "5s"}})
        assert_refused(write(caller, "john"))

        taken(tmp_path, caller, platform, upstream={"rate": "1000/s"})
        assert [write(caller, name).error for name in ("john", "jack", "joe")] == [0, 0, 0]


def taken(directory: Path, caller: Caller, platform: Platform, **sections: Any) -> None:
    config_file(directory, settings_for(platform.base_url, **sections))
    assert caller.send("POST", "/-/reload", b"").status == 200


def test_gateways_that_share_a_redis_keep_to_the_rate_together(
    platform: Platform, sandbox: Sandbox, tmp_path: Path
) -> None:
    with valkey.running(valkey.valkey(), tmp_path) as server, ExitStack() as stack:
        alone = {"cache": {"enabled": False}, "dedup": {"enabled": False}}
        fleet = fleet_over(server, platform, tmp_path, stack, **ONE_AN_HOUR, **alone)
        a, b = fleet.start("a"), fleet.start("b")
        assert write(a, "jim").error == 0
        assert_refused(write(a, "john"))
        assert_refused(write(b, "john"))

        server.stop()
        until(lambda: not is_sharing(a) and not is_sharing(b), "it is noticed")
        assert write(b, "john").error == 0  # as many as without Redis, each for itself
        assert_refused(write(b, "joe"))

        server.start()
        until(lambda: is_sharing(a) and is_sharing(b), "it is shared again")
        assert write(a, "jack").error == 0  # what Redis knew is forgotten
        assert_refused(write(b, "james"))
    assert [executed(sandbox, name) for name in ("jim", "john", "jack")] == [1, 1, 1]
