"""What a gateway with a journal keeps across `kill -9`, and what becomes of calls when the journal fails.

The gateway is a process of its own here, since only a process can be killed. The platform is not: it lives
on, and knows what it executed.
"""

import json
import random
import resource
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller, Reply, read_reply
from tests.e2e.conftest import ENVIRON, TOKEN, Platform, settings_for
from tests.e2e.process import Running, serving
from tests.e2e.scraping import scrape_used
from tests.e2e.waiting import until

WRITE = "profiles/import"
ERRORS = "gateway_store_errors_total"


@dataclass
class Restarts:
    """A gateway that is ended and started again, always over the same journal."""

    directory: Path
    settings: Mapping[str, Any]
    stack: ExitStack
    journal: Path
    _now: Running | None = field(default=None, init=False)

    @property
    def now(self) -> Running:
        assert self._now is not None
        return self._now

    @property
    def caller(self) -> Caller:
        return self.now.caller

    def start(self) -> Running:
        self._now = self.stack.enter_context(serving(self.directory, self.settings, ENVIRON))
        return self._now

    def kill(self) -> None:
        self.now.stop(signal.SIGKILL)

    def restart(self) -> None:
        self.kill()
        self.start()


Restarting = Callable[..., Restarts]


@pytest.fixture
def restarting(platform: Platform, tmp_path: Path) -> Iterator[Restarting]:
    """Gives a gateway with a journal that has been started; `journal` is another place for it."""
    with ExitStack() as stack:

        def make(journal: Path | None = None, **sections: Any) -> Restarts:
            place = journal or tmp_path / "journal"
            settings = settings_for(platform.base_url, dedup={"journal": str(place)}, **sections)
            restarts = Restarts(tmp_path, settings, stack, place)
            restarts.start()
            return restarts

        yield make
        platform.sandbox.faults.clear()


def write(caller: Caller, name: str, *headers: tuple[str, str]) -> Reply:
    return caller.call(WRITE, body_of(name), *headers)


def body_of(name: str) -> str:
    return json.dumps(
        {"db_id": 1, "matching": "email", "email": f"{name}@example.com", "data": {"_fname": name}}
    )


def request_of(name: str, *headers: tuple[str, str]) -> bytes:
    content = body_of(name).encode()
    lines = [("Host", "localhost"), ("Content-Type", JSON), ("Content-Length", str(len(content))), *headers]
    head = "".join(f"{field_name}: {value}\r\n" for field_name, value in lines)
    return f"POST /api/v1.1/{WRITE} HTTP/1.1\r\n{head}\r\n".encode() + content


def executed(sandbox: Sandbox, name: str) -> int:
    return sum(call.params["email"] == f"{name}@example.com" for call in sandbox.calls.executed(WRITE))


def request_ids(sandbox: Sandbox, name: str) -> set[str | None]:
    return {
        call.request_id
        for call in sandbox.calls.of(WRITE)
        if call.params.get("email") == f"{name}@example.com"
    }


def leave_in_flight(caller: Caller, sandbox: Sandbox, name: str) -> None:
    """Send a call, and hang up as soon as the platform has it."""
    arrived = sandbox.calls.arrived(len(sandbox.calls) + 1)
    with caller.connected() as connection:
        connection.sendall(request_of(name))
        arrived.result(PATIENCE)


def settle(caller: Caller) -> None:
    """All that has ended is in the journal after this: a call that goes out takes it along."""
    until(lambda: scrape_used(caller).value("gateway_flights_in_progress") == 0, "nothing is out")
    assert write(caller, "another").error == 0


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_after_a_kill_in_flight_the_repeat_carries_the_first_request_id(
    restarting: Restarting, sandbox: Sandbox, when: When
) -> None:
    gateway = restarting()
    sandbox.faults.add(Fault(Kind.STALL, WRITE, when))
    leave_in_flight(gateway.caller, sandbox, "jim")
    gateway.restart()
    sandbox.faults.release()

    repeat = write(gateway.caller, "jim")

    assert (repeat.status, repeat.error, repeat.header("gateway-flight")) == (200, 0, "led")
    assert executed(sandbox, "jim") == 1
    assert request_ids(sandbox, "jim") == {repeat.header("request-id")}


def test_an_answer_that_nobody_got_is_given_to_repeats_after_a_kill(
    restarting: Restarting, sandbox: Sandbox
) -> None:
    gateway = restarting()
    sandbox.faults.add(Fault(Kind.STALL, WRITE, When.AFTER))
    leave_in_flight(gateway.caller, sandbox, "jim")
    sandbox.faults.release()
    settle(gateway.caller)
    gateway.restart()

    repeats = [write(gateway.caller, "jim") for _ in range(2)]

    assert [repeat.header("gateway-flight") for repeat in repeats] == ["replayed", "replayed"]
    assert [repeat.error for repeat in repeats] == [0, 0]
    assert len(sandbox.calls.of(WRITE)) == 2  # that one, and the other that settled it


def test_an_answer_that_was_handed_out_is_owed_to_nobody_after_a_kill(
    restarting: Restarting, sandbox: Sandbox
) -> None:
    gateway = restarting()
    write(gateway.caller, "jim")
    settle(gateway.caller)
    gateway.restart()

    assert write(gateway.caller, "jim").header("gateway-flight") == "led"
    assert executed(sandbox, "jim") == 2


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=lambda end: end.name)
def test_a_key_is_known_after_a_restart(
    restarting: Restarting, sandbox: Sandbox, end: signal.Signals
) -> None:
    gateway = restarting()
    key = ("Request-ID", "order-7")
    first = write(gateway.caller, "jim", key)
    settle(gateway.caller)
    gateway.now.stop(end)
    gateway.start()

    repeat, other = write(gateway.caller, "jim", key), write(gateway.caller, "john", key)

    assert (repeat.header("gateway-flight"), repeat.body) == ("replayed", first.body)
    assert (other.status, other.error) == (422, 450)
    assert executed(sandbox, "jim") == 1


def test_another_token_after_the_restart_does_not_repeat_what_is_unknown(
    restarting: Restarting, platform: Platform, sandbox: Sandbox
) -> None:
    gateway = restarting()
    sandbox.faults.add(Fault(Kind.STALL, WRITE, When.AFTER))
    leave_in_flight(gateway.caller, sandbox, "jim")
    first = request_ids(sandbox, "jim")
    gateway.settings = {**gateway.settings, "token": {"env": "PARTNER_TOKEN"}}
    gateway.restart()

    refused = write(gateway.caller, "jim")

    assert (refused.status, refused.header("gateway-flight")) == (502, None)
    assert {refused.header("request-id")} == first
    assert executed(sandbox, "jim") == 1


def send(caller: Caller, name: str, *headers: tuple[str, str]) -> Reply | None:
    """What the caller gets; None when the connection broke."""
    try:
        with caller.connected() as connection:
            connection.sendall(request_of(name, *headers))
            return read_reply(connection)
    except (OSError, HTTPException):
        return None


FAULTS = (
    Fault(Kind.STALL, WRITE, When.BEFORE),
    Fault(Kind.STALL, WRITE, When.AFTER),
    Fault(Kind.SLOW, WRITE, When.BEFORE, ms=5),
    Fault(Kind.SLOW, WRITE, When.AFTER, ms=5),
    Fault(Kind.RESET, WRITE, When.AFTER),
)


def kill_in_flight(gateway: Restarts, sandbox: Sandbox, rng: random.Random, number: int) -> None:
    """One round: several calls at once, a kill while the platform has some of them, then all are repeated
    whose callers got no answer."""
    sandbox.faults.clear()
    sandbox.calls.clear()
    sandbox.faults.add(*rng.choices(FAULTS, k=rng.randint(0, 6)))
    arrived = sandbox.calls.arrived(rng.randint(1, 6))
    names = [f"round-{number}-{n}" for n in range(6)]
    keys = {name: (("Request-ID", f"key-{name}"),) if rng.random() < 0.3 else () for name in names}
    with ThreadPoolExecutor(len(names)) as callers:
        sent = {name: callers.submit(send, gateway.caller, name, *keys[name]) for name in names}
        arrived.result(PATIENCE)
        gateway.kill()
        answers = {name: future.result(PATIENCE) for name, future in sent.items()}
        sandbox.faults.release()
        sandbox.faults.clear()  # those that struck nobody are not for the repeats
        gateway.start()
        lost = [name for name, answer in answers.items() if answer is None or answer.error]
        repeated = {name: callers.submit(write, gateway.caller, name, *keys[name]) for name in lost}
        repeats = {name: future.result(PATIENCE) for name, future in repeated.items()}
    assert {name: reply.error for name, reply in repeats.items()} == dict.fromkeys(lost, 0)
    assert {name: executed(sandbox, name) for name in names} == dict.fromkeys(names, 1)
    assert {len(request_ids(sandbox, name)) for name in names} == {1}


@pytest.mark.parametrize(
    "rounds",
    [pytest.param(5, id="5 times"), pytest.param(50, id="50 times", marks=pytest.mark.full)],
)
@pytest.mark.timeout(300)
def test_killed_in_flight_no_write_runs_twice_and_none_is_lost(
    restarting: Restarting, sandbox: Sandbox, rounds: int
) -> None:
    gateway, rng = restarting(), random.Random(20261123)
    for number in range(rounds):
        kill_in_flight(gateway, sandbox, rng, number)
    assert scrape_used(gateway.caller).value(ERRORS, store="journal", operation="open") == 0
    assert scrape_used(gateway.caller).value(ERRORS, store="journal", operation="write") == 0


def journal_lines(gateway: Restarts) -> list[str]:
    lines = [json.loads(line) for line in gateway.now.log.splitlines()]
    return [line["message"] for line in lines if line["message"].startswith("dedup.journal")]


def test_over_a_damaged_file_the_gateway_serves_with_a_new_one(
    restarting: Restarting, sandbox: Sandbox, tmp_path: Path
) -> None:
    damaged = b"this is no database\n\0" * 500
    (tmp_path / "journal").write_bytes(damaged)
    gateway = restarting()
    key = ("Request-ID", "order-7")
    write(gateway.caller, "jim", key)
    settle(gateway.caller)

    [aside] = tmp_path.glob("journal.damaged-*")
    assert aside.read_bytes() == damaged
    until(lambda: journal_lines(gateway), "it is said")
    [line] = journal_lines(gateway)
    assert aside.name in line
    assert scrape_used(gateway.caller).value(ERRORS, store="journal", operation="open") == 1
    gateway.restart()
    assert write(gateway.caller, "jim", key).header("gateway-flight") == "replayed"


def test_where_no_file_can_be_the_gateway_serves_without(
    restarting: Restarting, sandbox: Sandbox, tmp_path: Path
) -> None:
    gateway = restarting(tmp_path / "missing" / "journal")

    answers = [write(gateway.caller, "jim") for _ in range(3)]

    assert [answer.error for answer in answers] == [0, 0, 0]
    until(lambda: journal_lines(gateway), "it is said")
    [line] = journal_lines(gateway)
    assert f"{tmp_path}/missing/journal cannot be used" in line
    assert scrape_used(gateway.caller).value(ERRORS, store="journal", operation="open") == 1


def test_on_a_full_disk_the_gateway_serves_on(restarting: Restarting, sandbox: Sandbox) -> None:
    gateway = restarting()
    # No file of the process may grow beyond this: to SQLite, what a full disk is. The log has room in it.
    limit = (64 * 1024, resource.RLIM_INFINITY)
    resource.prlimit(gateway.now.process.pid, resource.RLIMIT_FSIZE, limit)

    answers = [write(gateway.caller, "john") for _ in range(30)]

    assert {answer.error for answer in answers} == {0}
    assert scrape_used(gateway.caller).value(ERRORS, store="journal", operation="write") == 1
    until(lambda: journal_lines(gateway), "it is said")
    assert len(journal_lines(gateway)) == 1


def test_a_second_gateway_leaves_the_journal_to_the_first(
    restarting: Restarting, sandbox: Sandbox, tmp_path: Path
) -> None:
    first = restarting()
    write(first.caller, "jim")
    (tmp_path / "second").mkdir()

    with serving(tmp_path / "second", first.settings, ENVIRON) as second:
        assert write(second.caller, "john").error == 0
        assert scrape_used(second.caller).value(ERRORS, store="journal", operation="open") == 1
        until(lambda: "locked" in second.log, "it is said")
    assert write(first.caller, "jim").error == 0
    assert scrape_used(first.caller).value(ERRORS, store="journal", operation="write") == 0


def test_the_files_are_private_and_hold_no_token(restarting: Restarting, sandbox: Sandbox) -> None:
    gateway = restarting()
    sandbox.faults.add(Fault(Kind.ECHO, WRITE))
    echoed = write(gateway.caller, "jim", ("Request-ID", "order-7"))
    settle(gateway.caller)

    files = [gateway.journal, gateway.journal.with_name("journal-wal")]
    content = b"".join(file.read_bytes() for file in files)
    assert b"***" in echoed.body
    assert b"(token ***)" in content
    assert TOKEN.encode() not in content
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    gateway.restart()
    assert write(gateway.caller, "jim", ("Request-ID", "order-7")).body == echoed.body
