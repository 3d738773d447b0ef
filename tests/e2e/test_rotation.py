"""A token in a file is replaced without a restart, and never given up for nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token
from tests.e2e.caller import Caller
from tests.e2e.conftest import TOKEN, GatewayWith
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

    def detail() -> str:
        check = caller.get("/readyz?verbose").json()["checks"][CHECK]
        assert check["ok"]
        return str(check["detail"])

    until(lambda: detail() == f"file {mounted}: {problem}", "the problem is noticed")
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
