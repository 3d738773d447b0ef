"""Another configuration while calls go on: what changes, what survives, and that no call notices."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller, Reply, read_reply
from tests.e2e.conftest import ENVIRON, GatewayWith, Platform, settings_for
from tests.e2e.process import Running, running, serving
from tests.e2e.scraping import scrape, scrape_used
from tests.e2e.waiting import until

SUCCESSFUL = "gateway_config_last_reload_successful"
LOADED_AT = "gateway_config_last_reload_success_timestamp_seconds"
CACHED = {"cache": {"enabled": True, "default_ttl": "5m"}}


@dataclass(frozen=True)
class Served:
    """A gateway as a process, and the file that it was started from."""

    running: Running
    config: Path
    base_url: str
    sections: dict[str, Any] = field(default_factory=dict)

    @property
    def caller(self) -> Caller:
        return self.running.caller

    def write(self, **sections: Any) -> None:
        """Put settings into the file at once, as a careful editor does: `sections` over the first ones."""
        fresh = self.config.with_name("fresh.yaml")
        fresh.write_text(yaml.safe_dump(settings_for(self.base_url, **{**self.sections, **sections})))
        fresh.replace(self.config)

    def reload(self) -> Reply:
        return self.caller.send("POST", "/-/reload", b"")

    def taken(self, **sections: Any) -> None:
        """The settings are in use."""
        self.write(**sections)
        reply = self.reload()
        assert (reply.status, reply.json()) == (200, {"error": 0, "changed": True})


@pytest.fixture
def served(platform: Platform, tmp_path: Path) -> Iterator[Served]:
    with started(platform, tmp_path) as gateway:
        yield gateway


@pytest.fixture
def cached(platform: Platform, tmp_path: Path) -> Iterator[Served]:
    """One that keeps every reply of a read for a while."""
    with started(platform, tmp_path, **CACHED) as gateway:
        yield gateway


@contextmanager
def started(platform: Platform, directory: Path, **sections: Any) -> Iterator[Served]:
    with serving(directory, settings_for(platform.base_url, **dict(sections)), ENVIRON) as process:
        yield Served(process, directory / "config.yaml", platform.base_url, sections)
        platform.sandbox.faults.clear()
        assert process.stop(signal.SIGTERM) == 0
        assert process.stderr.read_text() == ""


def denies(served: Served) -> bool:
    return served.caller.json("databases/get", id=1).status == 403


def by_signal(served: Served) -> None:
    served.running.process.send_signal(signal.SIGHUP)


def by_request(served: Served) -> None:
    assert served.reload().status == 200


def by_the_file_alone(_: Served) -> None:
    """Nobody says anything."""


@pytest.mark.parametrize("ask", [by_signal, by_request, by_the_file_alone])
def test_a_changed_configuration_is_taken(served: Served, ask: Callable[[Served], None]) -> None:
    assert not denies(served)
    served.write(methods={"databases/get": {"allowed": False}})
    ask(served)
    until(lambda: denies(served), "the method is denied")
    assert scrape_used(served.caller).value(SUCCESSFUL) == 1


def test_the_same_configuration_again_is_a_success_that_changes_nothing(served: Served) -> None:
    reply = served.reload()
    assert (reply.status, reply.json()) == (200, {"error": 0, "changed": False})
    assert "drain" not in served.running.log


def test_a_bad_configuration_leaves_the_old_one_in_use_and_every_problem_is_told(served: Served) -> None:
    before = scrape_used(served.caller).value(LOADED_AT)
    served.config.write_text("log: {level: loud}\nlimits: {depth: 0}\n")
    reply = served.reload()
    assert reply.status == 422
    assert (reply.error, reply.error_text.startswith("gateway: ")) == (450, True)
    told = [(problem["place"], problem["key"]) for problem in reply.json()["problems"]]
    assert told == [(f"{served.config}:1", "log.level"), (f"{served.config}:2", "limits.depth")]
    assert all(problem["text"] in reply.error_text for problem in reply.json()["problems"])
    assert served.caller.json("databases/get", id=1).error == 0
    page = scrape(served.caller)
    assert (page.value(SUCCESSFUL), page.value(LOADED_AT)) == (0, before)
    until(lambda: "limits.depth: " in served.running.log, "it is in the log")
    assert "log.level: " in served.running.log

    served.taken(log={"level": "debug"})
    page = scrape(served.caller)
    assert page.value(SUCCESSFUL) == 1
    assert page.value(LOADED_AT) > before


@pytest.mark.parametrize("ask", [by_signal, by_the_file_alone])
def test_a_bad_configuration_that_nobody_waits_for_shows_in_the_metrics(
    served: Served, ask: Callable[[Served], None]
) -> None:
    served.config.write_text("nonsense: 1\n")
    ask(served)
    until(lambda: scrape(served.caller).value(SUCCESSFUL) == 0, "the refusal shows")
    assert served.caller.json("databases/get", id=1).error == 0


def test_what_needs_a_restart_is_refused_with_the_reason_and_the_line(served: Served) -> None:
    served.write(limits={"connections": 7})
    reply = served.reload()
    (problem,) = reply.json()["problems"]
    assert (reply.status, problem["key"]) == (422, "limits.connections")
    line = int(problem["place"].rpartition(":")[2])
    assert served.config.read_text().splitlines()[line - 1].strip() == "connections: 7"
    assert "restart" in problem["text"]


def test_tokens_and_certificates_that_are_not_there_are_problems_of_the_configuration(served: Served) -> None:
    served.write(
        tokens={"reader": {"env": "READER_TOKEN"}, "gone": {"file": "/nowhere/token"}},
        upstream={"tls": {"ca_file": "/nowhere/ca.pem"}},
        accounts={"eu": {"base_url": served.base_url, "token": {"env": "NOT_SET"}}},
    )
    reply = served.reload()
    assert reply.status == 422
    problems = {problem["key"]: problem for problem in reply.json()["problems"]}
    assert set(problems) == {"upstream.tls", "tokens.gone", "accounts.eu.token"}
    assert all(problem["place"].startswith(f"{served.config}:") for problem in problems.values())
    assert served.caller.json("databases/get", id=1).error == 0


def test_kept_replies_survive(cached: Served, sandbox: Sandbox) -> None:
    cached.caller.json("databases/get", id=1)
    cached.taken(log={"level": "debug"}, upstream={"keepalive": "9s"})
    again = cached.caller.json("databases/get", id=1)
    assert (again.header("cache-status") or "").startswith("gateway; hit")
    assert len(sandbox.calls.of("databases/get")) == 1


def test_kept_replies_go_when_the_rules_of_methods_change(cached: Served, sandbox: Sandbox) -> None:
    cached.caller.json("databases/get", id=1)
    cached.taken(methods={"profiles/get": {"ttl": "1s"}})
    assert cached.caller.json("databases/get", id=1).header("cache-status") == "gateway; fwd=miss; stored"
    assert len(sandbox.calls.of("databases/get")) == 2


def test_a_read_under_the_old_rules_fills_the_cache_for_nobody(cached: Served, sandbox: Sandbox) -> None:
    """Its reply carries the tags of the old rules, so a write under the new ones might not overtake it."""
    sandbox.faults.add(Fault(Kind.STALL, "databases/get", count=1))
    with ThreadPoolExecutor(1) as other:
        early = other.submit(cached.caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        cached.taken(methods={"databases/get": {"tags": ["db:{id}"]}})
        sandbox.faults.release()
        assert early.result(PATIENCE).error == 0
    assert cached.caller.json("databases/get", id=1).header("cache-status") == "gateway; fwd=miss; stored"


def test_a_token_from_another_source_is_used_and_answers_of_the_old_one_are_not_given(
    cached: Served, sandbox: Sandbox
) -> None:
    cached.caller.json("databases/get", id=1)
    cached.taken(token={"env": "READER_TOKEN"})
    again = cached.caller.json("databases/get", id=1)
    assert (again.error, again.header("cache-status")) == (0, "gateway; fwd=miss; stored")
    assert [call.token for call in sandbox.calls.of("databases/get")] == ["full-1", "reader"]


def idle(served: Served) -> float:
    page = scrape_used(served.caller)
    return page.value("gateway_upstream_connections", account="default", state="idle")


def test_connections_to_the_platform_survive_a_change_elsewhere(served: Served) -> None:
    served.caller.json("databases/get", id=1)
    assert idle(served) == 1
    served.taken(log={"level": "debug"}, upstream={"retries": {"attempts": 2}})
    assert idle(served) == 1
    served.taken(upstream={"max_connections": 7})
    assert idle(served) == 0
    assert served.caller.json("databases/get", id=1).error == 0


def test_calls_in_flight_end_on_the_connections_of_the_old_configuration(
    served: Served, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, "databases/get", count=2))
    with ThreadPoolExecutor(2) as others:
        slow = [others.submit(served.caller.json, "databases/get", id=number) for number in (1, 2)]
        sandbox.calls.arrived(2).result(PATIENCE)
        served.taken(upstream={"max_connections": 7})
        served.taken(upstream={"transport": "httpx"})
        assert served.caller.json("databases/list").error == 0
        sandbox.faults.release()
        assert [call.result(PATIENCE).error for call in slow] == [0, 0]


def test_a_call_whose_body_is_still_coming_is_sent_all_the_same(served: Served) -> None:
    """It began under the old rules, and needs a connection of theirs only later."""
    body = b'{"id": 1}'
    head = f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
    with served.caller.connected() as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:4])
        until(lambda: in_progress(served) == 1, "the call has begun")
        served.taken(upstream={"max_connections": 7})
        connection.sendall(body[4:])
        assert read_reply(connection).error == 0


def in_progress(served: Served) -> float:
    return scrape_used(served.caller).value("gateway_requests_in_progress")


def test_an_open_breaker_stays_open(platform: Platform, tmp_path: Path) -> None:
    breaker = {"breaker": {"min_calls": 1, "open_for": "5m"}}
    with started(platform, tmp_path, upstream=breaker) as served:
        platform.sandbox.faults.add(Fault(Kind.RESET, "databases/get", When.BEFORE, count=1))
        served.caller.json("databases/get", id=1)
        assert served.caller.json("databases/get", id=1).status == 503
        served.taken(log={"level": "debug"})
        assert served.caller.json("databases/get", id=1).status == 503
        served.taken(upstream={})
        assert served.caller.json("databases/get", id=1).error == 0


def test_a_flight_survives_and_a_repeat_after_the_reload_joins_it(platform: Platform, tmp_path: Path) -> None:
    with started(platform, tmp_path, dedup={"enabled": True}) as served:
        platform.sandbox.faults.add(Fault(Kind.STALL, "profiles/import", count=1))
        with ThreadPoolExecutor(2) as others:
            leader = others.submit(imported, served.caller, "jim@example.com")
            platform.sandbox.calls.arrived(1).result(PATIENCE)
            served.taken(upstream={"max_connections": 7}, dedup={"enabled": True, "window": "1m"})
            follower = others.submit(imported, served.caller, "jim@example.com")
            until(lambda: in_progress(served) == 2, "the follower waits")
            platform.sandbox.faults.release()
            replies = leader.result(PATIENCE), follower.result(PATIENCE)
        assert [reply.header("gateway-flight") for reply in replies] == ["led", "joined"]
        assert len(platform.sandbox.calls.executed("profiles/import")) == 1


def imported(caller: Caller, email: str) -> Reply:
    return caller.json("profiles/import", db_id=1, matching="email", email=email, data={"_fname": "Jim"})


def test_counters_survive_and_new_names_begin_at_zero(served: Served) -> None:
    served.caller.json("databases/get", id=1)
    account = {"base_url": served.base_url, "token": {"env": "READER_TOKEN"}}
    served.taken(accounts={"eu": account}, methods={"brand/new": {"effect": "read"}})
    text = served.caller.get("/metrics").body.decode()
    assert 'gateway_requests_total{api_method="databases/get",code="0",origin="upstream"} 1\n' in text
    assert 'gateway_requests_total{api_method="brand/new",code="0",origin="upstream"} 0\n' in text
    assert 'gateway_upstream_errors_total{account="eu",kind="reset"} 0\n' in text
    there = Caller(served.caller.address, base_path="/accounts/eu/api/v1.1/")
    assert there.json("databases/get", id=1).error == 0


def test_the_log_changes_its_form(served: Served) -> None:
    served.taken(log={"format": "text"})
    served.caller.json("databases/get", id=1)
    until(lambda: "  info      0  databases/get  " in served.running.log, "a line in text")


def test_a_demo_has_no_file_so_a_hangup_ends_it(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", "0", environ={}) as demo:
        assert demo.stop(signal.SIGHUP) == -signal.SIGHUP


def test_a_gateway_that_was_not_started_from_a_file_says_so(gateway_with: GatewayWith) -> None:
    reply = gateway_with().send("POST", "/-/reload", b"")
    assert reply.status == 422
    assert "not started from a file" in reply.error_text


CALLERS = 8


@pytest.mark.parametrize(
    "rounds", [pytest.param(12, id="few"), pytest.param(100, id="many", marks=pytest.mark.full)]
)
def test_no_call_fails_while_the_configuration_is_reloaded(
    platform: Platform, tmp_path: Path, rounds: int
) -> None:
    sections = {**CACHED, "dedup": {"enabled": True}, "upstream": {"retries": {"attempts": 1}}}
    with started(platform, tmp_path, **sections) as served:
        stop = Event()
        with ThreadPoolExecutor(CALLERS) as callers:
            calling = [callers.submit(call_until, stop, served.caller, number) for number in range(CALLERS)]
            try:
                for kind in islice(cycle(KINDS), rounds):
                    kind(served)
            finally:
                stop.set()
            made = [calls.result(PATIENCE) for calls in calling]
        assert all(calls >= rounds // 4 for calls in made)
        page = scrape_used(served.caller)
        sent = {"api_method": "profiles/import", "code": "0"}
        assert page.value("gateway_upstream_requests_total", **sent) == sum(made)
        assert page.value("gateway_requests_total", **sent, origin="upstream") == sum(made)


def call_until(stop: Event, caller: Caller, number: int) -> int:
    """Write and read what was written, again and again. Returns how often; every call is answered well."""
    count = 0
    while not stop.is_set():
        email = f"p{number}-{count}@example.com"
        assert imported(caller, email).error == 0
        read = caller.json("profiles/get", db_id=1, matching="email", email=email)
        assert (read.status, read.error) == (200, 0)
        assert caller.json("databases/get", id=1).error == 0
        count += 1
    return count


def good(served: Served) -> None:
    """Other connections, another queue, another breaker."""
    served.write(upstream={"max_connections": 50 + serial(served), "timeouts": {"total": "50s"}})
    assert served.reload().json()["changed"] is True


def bad(served: Served) -> None:
    served.config.write_text("log: {level: loud}\n")
    assert served.reload().status == 422


def same(served: Served) -> None:
    served.write(upstream={"keepalive": f"{serial(served)}s"})
    served.reload()
    assert served.reload().json() == {"error": 0, "changed": False}


def other_rules(served: Served) -> None:
    served.write(methods={"databases/get": {"ttl": f"{serial(served)}s"}})
    assert served.reload().json()["changed"] is True


KINDS = (good, bad, other_rules, same)


def serial(served: Served) -> int:
    """Another number each time."""
    marker = served.config.with_name("serial")
    number = int(marker.read_text()) + 1 if marker.exists() else 1
    marker.write_text(str(number))
    return number


def test_a_call_ends_with_the_rules_that_held_when_its_head_came(served: Served) -> None:
    """Also where the head is one that came before, and the account is gone when the body comes."""
    served.taken(accounts={"second": {"base_url": served.base_url, "token": {"env": "TOKEN"}}})
    caller = Caller(served.caller.address, base_path="/accounts/second/api/v1.1/")
    body = b'{"id": 1}'
    head = (
        f"POST {caller.base_path}databases/get HTTP/1.1\r\nHost: {caller.authority}\r\n"
        f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    for _ in range(3):
        assert caller.exchange(head + body).error == 0
    with caller.connected() as connection:
        connection.sendall(head)
        until(lambda: in_progress(served) == 1, "the call is under way")
        served.taken(limits={"body_bytes": "1KiB"})
        connection.sendall(body)
        assert read_reply(connection).error == 0
    assert caller.exchange(head + body).status == 404


def test_a_short_call_is_not_measured_by_a_long_one_of_the_same_head(served: Served) -> None:
    def request(size: int) -> tuple[bytes, bytes]:
        body = b'{"id": 1, "x": "' + b"x" * size + b'"}'
        head = (
            f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: {served.caller.authority}\r\n"
            f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode(), body

    for _ in range(3):
        assert served.caller.exchange(b"".join(request(3000))).error == 0
    with served.caller.connected() as connection:
        head, body = request(5)
        connection.sendall(head)
        until(lambda: in_progress(served) == 1, "the call is under way")
        served.taken(limits={"body_bytes": "1KiB"})
        connection.sendall(body)
        assert read_reply(connection).error == 0
    assert served.caller.exchange(b"".join(request(5))).error == 0
    assert served.caller.exchange(b"".join(request(3000))).status == 413
