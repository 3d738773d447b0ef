"""A token in a file is replaced without a restart, and never given up for nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token, sample_tokens
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import TOKEN, GatewayWith
from tests.e2e.flying import DEDUP, IMPORT, times_run
from tests.e2e.scraping import counting
from tests.e2e.waiting import until

SECOND = "second-token-of-the-gateway"
UNPRINTABLE = "the token holds control or other unprintable characters"
CHECK = "token default/default"


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A secret as Kubernetes mounts it: the file is reached by a link to a directory that gets swapped."""
    swap(tmp_path, "first", TOKEN)
    (tmp_path / "token").symlink_to("current/token")
    return tmp_path / "token"


def swap(directory: Path, name: str, value: str) -> None:
    (directory / name).mkdir()
    (directory / name / "token").write_text(value + "\n")
    (directory / "next").symlink_to(name)
    (directory / "next").replace(directory / "current")


def used(caller: Caller, sandbox: Sandbox) -> str | None:
    """The name of the token that the platform sees in a call made now."""
    caller.json("databases/get", id=1)
    return sandbox.calls.of("databases/get")[-1].token


def write_in_place(path: Path) -> None:
    path.write_text(SECOND)


def replace_file(path: Path) -> None:
    fresh = path.with_name("fresh")
    fresh.write_text(SECOND + "\r\n")
    fresh.replace(path)


def swap_directory(path: Path) -> None:
    swap(path.parent, "second", SECOND)


@pytest.mark.parametrize("rotate", [write_in_place, replace_file, swap_directory])
def test_a_new_token_is_used_without_a_restart(
    gateway_with: GatewayWith, sandbox: Sandbox, mounted: Path, rotate: Callable[[Path], None]
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    caller = gateway_with(token={"file": str(mounted)})
    assert used(caller, sandbox) == "full-1"
    with counting(caller) as changes:
        rotate(mounted)
        until(lambda: used(caller, sandbox) == "second", "the new token is used")
    assert changes.of("gateway_token_rotations_total", "account", "token") == {("default", "default"): 1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "there is no token", id="empty"),
        pytest.param(b"\n", "there is no token", id="a newline"),
        pytest.param(b"short", "the token is shorter than 8 bytes", id="too short"),
        pytest.param(b"two\nlines of it", UNPRINTABLE, id="two lines"),
    ],
)
def test_a_file_without_a_usable_token_leaves_the_old_one_in_use(
    gateway_with: GatewayWith, sandbox: Sandbox, mounted: Path, content: bytes, problem: str
) -> None:
    caller = gateway_with(token={"file": str(mounted)})
    mounted.write_bytes(content)

    def found() -> dict[str, object]:
        check: dict[str, object] = caller.get("/readyz?verbose").json()["checks"][CHECK]
        return check

    told = f"the one that was read before is used: file {mounted}: {problem}"
    until(lambda: found() == {"ok": False, "detail": told}, "the problem is noticed")
    assert used(caller, sandbox) == "full-1"
    assert caller.get("/readyz").status == 200


def test_a_file_that_vanished_leaves_the_old_token_in_use_and_may_come_back(
    gateway_with: GatewayWith, sandbox: Sandbox, mounted: Path
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    caller = gateway_with(token={"file": str(mounted)})
    mounted.unlink()
    page = "/readyz?verbose"
    until(lambda: b"No such file" in caller.get(page).body, "the loss is noticed")
    assert used(caller, sandbox) == "full-1"
    mounted.write_text(SECOND)
    until(lambda: used(caller, sandbox) == "second", "the new token is used")


ROTATIONS = 5
CALLERS = 8


class Load:
    """Callers that read and write one after the other, until they are stopped."""

    def __init__(self, caller: Caller) -> None:
        self.codes: list[list[tuple[str, int]]] = [[] for _ in range(CALLERS)]
        self._caller = caller
        self._stopped = Event()

    def __enter__(self) -> "Load":
        self._pool = ThreadPoolExecutor(CALLERS)
        self._calling = [self._pool.submit(self._call_on, number) for number in range(CALLERS)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for done in self._calling:
            done.result(PATIENCE)
        self._pool.shutdown()

    def wait_for_new_calls(self) -> None:
        """Until each caller's calls of before have ended, and a new one of each kind was answered."""
        before = [len(codes) for codes in self.codes]
        until(
            lambda: all(len(codes) > old + 2 for codes, old in zip(self.codes, before, strict=True)),
            "every caller has called again",
        )

    def _call_on(self, number: int) -> None:
        codes = self.codes[number]
        while not self._stopped.is_set():
            codes.append(("read", self._caller.json("databases/get", id=1).error))
            email = f"{number}-{len(codes)}@example.com"
            codes.append(("write", self._caller.json(IMPORT, db_id=1, email=email, data={}).error))


def test_rotations_under_load_fail_no_call(
    gateway_with: GatewayWith, sandbox: Sandbox, mounted: Path
) -> None:
    """The old token is revoked as soon as the file has the new one: what is under way with it is rejected."""
    caller, last = gateway_with(token={"file": str(mounted)}, dedup=DEDUP), TOKEN
    with counting(caller) as changes, Load(caller) as load, restored(sandbox):
        for number in range(ROTATIONS):
            new = f"rotated-token-{number}"
            sandbox.tokens.add(Token(new, new))
            swap(mounted.parent, new, new)
            sandbox.tokens.revoke(last)
            load.wait_for_new_calls()
            last = new
    codes = Counter(code for of_one in load.codes for code in of_one)
    assert set(codes) == {("read", 0), ("write", 0)}
    assert times_run(sandbox) == codes["write", 0]
    assert {call.token for call in sandbox.calls.executed(IMPORT)} >= {
        f"rotated-token-{number}" for number in range(ROTATIONS)
    }
    rotations = changes.of("gateway_token_rotations_total", "account", "token")
    assert rotations == {("default", "default"): ROTATIONS}
    assert sum(changes.requests.values()) == codes.total()


@contextmanager
def restored(sandbox: Sandbox) -> Iterator[None]:
    try:
        yield
    finally:
        for token in sample_tokens(TOKEN):
            sandbox.tokens.add(token)


def test_a_call_that_the_platform_runs_ends_with_the_token_that_it_began_with(
    gateway_with: GatewayWith, sandbox: Sandbox, mounted: Path
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    caller = gateway_with(token={"file": str(mounted)}, dedup=DEDUP)
    sandbox.faults.add(Fault(Kind.STALL, IMPORT))
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(caller.json, IMPORT, db_id=1, email="jim@example.com", data={})
        sandbox.calls.arrived(1).result(PATIENCE)
        swap_directory(mounted)
        until(lambda: used(caller, sandbox) == "second", "the new token is used")
        sandbox.faults.release()
        assert under_way.result(PATIENCE).error == 0
    (call,) = sandbox.calls.of(IMPORT)
    assert call.token == "full-1"
