"""Calls of every kind, and faults of every kind, against a gateway whose limits are low.

A round takes about a second and leaves no metric as it was, but for those of a broken store: so whoever
looks at a graph of it sees something in each. Refuses to judge the answers; other tests do that.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from gateway.sandbox.faults import Fault, Kind, When
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.dashboards.monitoring import free_port
from tests.e2e.caller import JSON, PATIENCE, Caller, Reply
from tests.e2e.process import Running, config_file, serving

FIRST, SECOND = "first-token-1234567890", "second-token-1234567890"
ENVIRON = {"STRANGER": "nobody-knows-this-one", "OTHER": "a-token-for-nobody"}
CRM, STRANGER = ("Gateway-Caller", "crm"), ("Gateway-Caller", "stranger")

Work = Callable[[], object]


@dataclass
class Loaded:
    """A gateway, its platform, and the calls."""

    running: Running
    sandbox: Sandbox
    directory: Path
    settings: dict[str, Any]
    rounds: int = 0

    @property
    def caller(self) -> Caller:
        return self.running.caller

    def round(self) -> None:
        self.rounds += 1
        self._reads()
        self._writes()
        self._error_codes()
        self._lost_answers()
        self._own_errors()
        self._full()
        self._operator()

    def _reads(self) -> None:
        call, number = self.caller.json, self.rounds
        call("resources/get", id=1)
        for _ in range(3):
            call("databases/get", CRM, id=1)
        call("profiles/get", STRANGER, db_id=1, email=f"customer{number % 50 + 1}@example.com")
        call("databases/list", ("Cache-Control", "no-store"))
        call("segments/get", ("Cache-Control", "only-if-cached"), id=number)
        self._slow("resources/list")
        at_once([lambda: call("resources/list")] * 3)
        call("resources/get", id=1)  # old by now

    def _writes(self) -> None:
        call = self.caller.json
        jim = {"db_id": 1, "email": f"jim{self.rounds}@example.com", "data": {"_fname": "Jim"}}
        self._slow("profiles/import")
        at_once([lambda: call("profiles/import", **jim)] * 3)
        for _ in range(2):
            call("profiles/import", ("Request-ID", f"import-{self.rounds}"), **jim)
        ada = f"<email>ada{self.rounds}@example.com</email><data><_fname>Ada</_fname></data>"
        self.caller.xml("profiles/import", f"<xml><db_id>1</db_id>{ada}</xml>")
        good, bad = {"email": "good@example.com", "data": {}}, {"email": "nonsense", "data": {}}
        call("profiles/import_batch", db_id=1, matching="email", data=[good, bad])

    def _error_codes(self) -> None:
        call = self.caller.json
        call("profiles/add", db_id=3, data={"email": f"{self.rounds}@example.com"})  # 402
        call("databases/get", id=99)  # 404
        call("profiles/get", db_id=1, email="twin@example.com")  # 435
        call("profiles/get", db_id=1, email="broken@example.com")  # 500
        call("segments/list")  # 401, by the rule of its token
        call("no/such/method")  # 501
        self.sandbox.faults.add(Fault(Kind.ECHO, "templates/list"))
        call("templates/list", ("Cache-Control", "no-store"))

    def _lost_answers(self) -> None:
        call, faults = self.caller.json, self.sandbox.faults
        faults.add(Fault(Kind.RESET, "templates/get"), Fault(Kind.RESET, "profiles/update", When.AFTER))
        call("templates/get", ("Cache-Control", "no-store"), id=1)
        call("profiles/update", db_id=1, email="customer1@example.com", data={"visits": self.rounds})
        faults.add(Fault(Kind.SLOW, "profiles/delete", ms=800), Fault(Kind.HTML, "senders/list", count=3))
        call("profiles/delete", db_id=1, email=f"jim{self.rounds}@example.com")
        call("senders/list", ("Cache-Control", "no-store"))

    def _own_errors(self) -> None:
        self.caller.call("profiles/get", "{nonsense")
        self.caller.json("databases/wipe", db_id=1)
        nowhere = Caller(self.caller.address, base_path="/accounts/second/api/v1.1/")
        for number in range(6):
            nowhere.json("profiles/get", db_id=2, email=f"member{number}@example.com")

    def _full(self) -> None:
        def list_some(limit: int) -> Reply:
            return self.caller.json("profiles/list", ("Cache-Control", "no-store"), db_id=1, limit=limit)

        self._slow("profiles/list", count=8)
        at_once([partial(list_some, limit) for limit in range(1, 9)])

    def _operator(self) -> None:
        (self.directory / "token").write_text((FIRST, SECOND)[self.rounds % 2])
        self.caller.send("POST", "/-/cache/purge", '{"all": true}', ("Content-Type", JSON))
        level = ("info", "warning")[self.rounds % 2]
        config_file(self.directory, {**self.settings, "log": {"level": level}})
        self.caller.send("POST", "/-/reload", b"")

    def _slow(self, api_method: str, count: int = 1) -> None:
        self.sandbox.faults.add(Fault(Kind.SLOW, api_method, ms=150, count=count))

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Round after round, beside what is done in the block."""
        enough = Event()

        def go_on() -> None:
            while not enough.is_set():
                self.round()

        with ThreadPoolExecutor(1, "load") as executor:
            going = executor.submit(go_on)
            try:
                yield
            finally:
                enough.set()
                going.result(4 * PATIENCE)


def at_once(work: Sequence[Callable[[], Reply]]) -> None:
    with ThreadPoolExecutor(len(work)) as pool:
        for reply in [pool.submit(one) for one in work]:
            reply.result(PATIENCE)


@contextmanager
def loaded(directory: Path) -> Iterator[Loaded]:
    """A gateway as a process, in front of a sandbox, and of an account whose platform does not exist."""
    sandbox = Sandbox(sample_tokens(FIRST, SECOND), Options())
    (directory / "token").write_text(FIRST)
    with running_in_thread(sandbox) as base_url:
        settings = settings_for(base_url, directory)
        with serving(directory, settings, ENVIRON) as running:
            yield Loaded(running, sandbox, directory, settings)


def settings_for(base_url: str, directory: Path) -> dict[str, Any]:
    stranger = {"stranger": {"env": "STRANGER"}}
    return {
        "listen": {"port": 0},
        "upstream": {
            "base_url": base_url,
            "max_connections": 4,
            "timeouts": {"connect": "1s", "first_byte": "500ms", "total": "2s"},
            "retries": {"attempts": 3, "backoff": "1ms", "budget": 1.0},
            "breaker": {"min_calls": 5, "window": "5s", "open_for": "1s"},
        },
        "token": {"file": str(directory / "token")},
        "tokens": stranger,
        "accounts": {
            "second": {
                "base_url": f"http://127.0.0.1:{free_port()}/api/v1.1",
                "token": {"env": "OTHER"},
                "tokens": stranger,
            }
        },
        "limits": {"max_in_flight": 4, "max_queued": 2, "queue_timeout": "300ms"},
        "cache": {"default_ttl": "100ms", "stale_while_revalidate": "10s", "settle": "0s"},
        "dedup": {"journal": str(directory / "journal.sqlite")},
        "methods": {
            "segments/list": {"token": "stranger"},
            "databases/get": {"ttl": "5s"},
            "resources/get": {"ttl": "100ms"},
        },
        "method_policy": {"deny": ["databases/wipe"]},
        "callers": {"known": ["crm"]},
    }
