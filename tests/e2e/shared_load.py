"""Calls through several gateways at once, as long as a test wants: writes that nobody else sends, writes with
a key that are sent through all of them at a time, and reads. What came of each is kept, so that a test can
say what must be true of all of them."""

import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from threading import Event, Lock

from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import Caller, Reply
from tests.e2e.waiting import until

WRITE = "profiles/import"
READ = "profiles/get"
WORKERS = 6


def body_of(name: str, value: str = "") -> str:
    data = {"_fname": value or name}
    return json.dumps({"db_id": 1, "matching": "email", "email": f"{name}@example.com", "data": data})


def write(caller: Caller, name: str, *headers: tuple[str, str], value: str = "") -> Reply:
    return caller.call(WRITE, body_of(name, value), *headers)


def read(caller: Caller, name: str) -> Reply:
    return caller.json(READ, db_id=1, matching="email", email=f"{name}@example.com")


def attempt(caller: Caller, name: str, *headers: tuple[str, str], value: str = "") -> Reply | None:
    """What the caller gets; None when the connection broke."""
    with suppress(OSError, HTTPException):
        return write(caller, name, *headers, value=value)
    return None


def executed(sandbox: Sandbox, name: str) -> int:
    return sum(call.params["email"] == f"{name}@example.com" for call in sandbox.calls.executed(WRITE))


def request_ids(sandbox: Sandbox, name: str) -> set[str | None]:
    email = f"{name}@example.com"
    return {call.request_id for call in sandbox.calls.of(WRITE) if call.params.get("email") == email}


@dataclass
class Load:
    """What was sent, and what went wrong."""

    callers: Sequence[Caller]
    ended: int = 0
    names: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def more(self, calls: int) -> None:
        """Returns when so many more have ended."""
        wanted = self.ended + calls
        until(lambda: self.ended >= wanted, f"{calls} more calls have ended")

    def run(self, over: Event, seed: int) -> None:
        rng = random.Random(seed)
        with ThreadPoolExecutor(len(self.callers)) as together:
            while not over.is_set():
                kind = rng.choice((self._alone, self._with_key, self._read))
                kind(rng, together)

    def _alone(self, rng: random.Random, _together: ThreadPoolExecutor) -> None:
        name = self._name()
        self._note(name, attempt(rng.choice(self.callers), name))

    def _with_key(self, _rng: random.Random, together: ThreadPoolExecutor) -> None:
        name = self._name()
        key = ("Request-ID", f"key-of-{name}")
        for answer in list(together.map(lambda caller: attempt(caller, name, key), self.callers)):
            self._note(name, answer)

    def _read(self, rng: random.Random, _together: ThreadPoolExecutor) -> None:
        caller, name = rng.choice(self.callers), f"reader-{rng.randrange(3)}"
        with suppress(OSError, HTTPException):
            self._note(name, read(caller, name), codes=(0, 404))
            return
        self._note(name, None)

    def _name(self) -> str:
        with self._lock:
            self.names.append(f"writer-{next(self._numbers)}")
            return self.names[-1]

    def _note(self, name: str, answer: Reply | None, codes: Sequence[int] = (0,)) -> None:
        with self._lock:
            self.ended += 1
            if answer is None or answer.error not in codes:
                self.failed.append(f"{name}: {answer}")


@contextmanager
def under_load(*callers: Caller) -> Iterator[Load]:
    load, over = Load(callers), Event()
    with ThreadPoolExecutor(WORKERS) as workers:
        running = [workers.submit(load.run, over, seed) for seed in range(WORKERS)]
        try:
            yield load
        finally:
            over.set()
    for each in running:
        each.result()
