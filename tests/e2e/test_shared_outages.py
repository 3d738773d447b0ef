"""Redis stopped, paused, restarted, flushed, read only, full and cut off, under load: no call fails, nothing
runs twice, and all is shared again by itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests import valkey
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import Platform
from tests.e2e.scraping import scrape_used
from tests.e2e.shared_load import WRITE, executed, read, request_ids, under_load, write
from tests.e2e.sharing import Fleet, fleet_over, is_sharing
from tests.e2e.waiting import until
from tests.valkey import Server

ERRORS = "gateway_store_errors_total"

PROGRAMS = [
    pytest.param(valkey.valkey, id="valkey"),
    pytest.param(valkey.debian_redis, id="redis", marks=pytest.mark.full),
]


@pytest.fixture(params=PROGRAMS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with valkey.running(request.param(), tmp_path) as running:
        yield running


@pytest.fixture
def fleet(server: Server, platform: Platform, tmp_path: Path) -> Iterator[Fleet]:
    """Gateways `a` and `b`, which wait for Redis no longer than they do by default."""
    with ExitStack() as stack:
        gateways = fleet_over(server, platform, tmp_path, stack, redis={"timeout": "200ms"})
        gateways.start("a")
        gateways.start("b")
        yield gateways
        platform.sandbox.faults.clear()


def stop(server: Server) -> Callable[[], None]:
    server.stop()
    return server.start


def pause(server: Server) -> Callable[[], None]:
    server.pause()
    return server.resume


def restart(server: Server) -> Callable[[], None]:
    server.stop()
    server.start()
    return lambda: None


def flush(server: Server) -> Callable[[], None]:
    server.client.flushall()
    return lambda: None


def forbid_writes(server: Server) -> Callable[[], None]:
    server.client.replicaof("127.0.0.1", server.port)

    def mend() -> None:
        server.client.replicaof("NO", "ONE")

    return mend


def fill(server: Server) -> Callable[[], None]:
    server.client.config_set("maxmemory", 1)

    def mend() -> None:
        server.client.config_set("maxmemory", 0)

    return mend


def cut(server: Server) -> Callable[[], None]:
    server.client.client_kill_filter(_type="normal")
    return lambda: None


@pytest.mark.parametrize("trouble", [stop, pause, restart, flush, forbid_writes, fill, cut])
@pytest.mark.timeout(180)
def test_trouble_with_redis_fails_no_call_runs_nothing_twice_and_passes(
    fleet: Fleet, server: Server, sandbox: Sandbox, trouble: Callable[[Server], Callable[[], None]]
) -> None:
    with under_load(fleet["a"], fleet["b"]) as load:
        load.more(60)
        mend = trouble(server)
        try:
            load.more(150)
        finally:
            mend()
        until(lambda: is_sharing(fleet["a"]) and is_sharing(fleet["b"]), "all is shared again")
        load.more(60)

    assert load.failed == []
    assert len(sandbox.calls) < 1000  # beyond it the sandbox forgets
    for name in load.names:
        assert (name, executed(sandbox, name), len(request_ids(sandbox, name))) == (name, 1, 1)
    assert_shared(fleet, sandbox)


def assert_shared(fleet: Fleet, sandbox: Sandbox) -> None:
    """Before long: a flush is noticed within a second only, and this machine may be busy."""
    names = (f"jim-{number}" for number in count())
    until(lambda: writes_are_one(fleet, sandbox, next(names)), "identical writes over both are one", 60)
    until(lambda: replies_are_known_to_both(fleet, next(names)), "what one has read the other knows", 60)


def writes_are_one(fleet: Fleet, sandbox: Sandbox, name: str) -> bool:
    sandbox.calls.clear()
    sandbox.faults.add(Fault(Kind.STALL, WRITE, When.BEFORE))
    arrived = sandbox.calls.arrived(1)
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(write, fleet["a"], name)
        arrived.result(PATIENCE)
        second = callers.submit(write, fleet["b"], name)
        until(lambda: second.done() or in_progress(fleet["b"]) == 1, "it waits")
        sandbox.faults.release()
        roles = [each.result(PATIENCE).header("gateway-flight") for each in (first, second)]
    return roles == ["led", "joined"] and executed(sandbox, name) == 1


def in_progress(caller: Caller) -> float:
    return scrape_used(caller).value("gateway_requests_in_progress")


def replies_are_known_to_both(fleet: Fleet, name: str) -> bool:
    assert write(fleet["a"], name).error == 0
    states = [read(fleet[gateway], name).header("cache-status") or "" for gateway in ("a", "b")]
    return states[0].endswith("stored") and states[1].startswith("gateway; hit")


def test_readiness_the_status_page_and_the_metrics_say_that_redis_is_away(
    fleet: Fleet, server: Server
) -> None:
    caller = fleet["a"]
    server.stop()
    until(lambda: not is_sharing(caller), "it is said")  # which looks at the status of 200 as well
    assert write(caller, "jim").error == 0

    ready = caller.get("/readyz?verbose")
    [row] = [row for row in caller.get("/-/status.json").json()["stores"] if row["name"] == "redis"]
    errors = scrape_used(caller).value(ERRORS, store="redis", operation="swap")

    assert ready.status == 200
    assert b"calls go on without it" in ready.body
    assert row["well"] is False
    assert errors > 0
    until(lambda: fleet.running["a"].log.count("store_failed") == 1, "the log says it")

    server.start()
    until(lambda: is_sharing(caller), "it is shared again")
    until(lambda: fleet.running["a"].log.count("store_recovered") == 1, "the log says it")
    assert fleet.running["a"].log.count("store_failed") == 1


def test_where_writes_are_refused_without_redis_reads_go_on_and_nothing_is_sent(
    server: Server, platform: Platform, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        dedup = {"enabled": True, "store": "redis", "on_store_failure": "refuse"}
        fleet = fleet_over(server, platform, tmp_path, stack, dedup=dedup)
        caller = fleet.start("a")
        assert write(caller, "jim").error == 0
        server.stop()
        until(lambda: not is_sharing(caller), "it is said")

        refused, answered = write(caller, "john"), read(caller, "jim")

        assert (refused.status, refused.error, answered.error) == (503, 503, 0)
        assert refused.header("retry-after") == "1"
        assert executed(platform.sandbox, "john") == 0
        server.start()
        until(lambda: is_sharing(caller), "it is shared again")
        assert write(caller, "john").error == 0
