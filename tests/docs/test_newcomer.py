"""A newcomer's path, from a fresh clone: every command of the README and of the tutorial, as it stands."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.console import Shell, blocks
from tests.tools import tool

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial.md")
LEFT_OUT = "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "CI"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    for name in ("git", "make", "curl"):
        tool(name, f"Debian: {name}")
    ports = {name: str(free_port()) for name in ("8080", "9000", "9090")}
    environ = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    environ |= {"PORT": ports["8080"], "GATEWAY_LISTEN__PORT": ports["8080"]}
    words = {f":{port}": f":{free}" for port, free in ports.items()}
    words |= {f"--port {port}": f"--port {free}" for port, free in ports.items()}
    shell = Shell(tmp_path, environ, words | {"<this repository>": str(ROOT)})
    try:
        yield shell
    finally:
        shell.close()


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works_from_a_fresh_clone(shell: Shell, page: str) -> None:
    for block in blocks((ROOT / page).read_text("utf-8")):
        shell.run(block)


@pytest.mark.parametrize("page", PAGES)
def test_every_console_block_of_the_page_is_run(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    assert len(blocks(text)) == text.count("```console")


def test_what_a_command_prints_is_compared(tmp_path: Path) -> None:
    page = "<!-- run: sh -->\n```console\n$ printf 'one\\ntwo\\nthree'\none\n…\nfour\n```\n"
    [block] = blocks(page)
    with pytest.raises(AssertionError, match="instead of"):
        Shell(tmp_path, dict(os.environ), {}).run(block)


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    [block] = blocks("<!-- run: sh -->\n```console\n$ cd . && false\n```\n")
    with pytest.raises(AssertionError):
        Shell(tmp_path, dict(os.environ), {}).run(block)


def test_the_folder_is_kept_between_blocks(tmp_path: Path) -> None:
    page = "<!-- run: sh -->\n```console\n$ mkdir inner && cd inner\n$ basename $PWD\ninner\n```\n"
    [block] = blocks(page)
    Shell(tmp_path, dict(os.environ), {}).run(block)


def test_a_clone_is_of_a_repository() -> None:
    """Else the pages' first command would have nothing to clone."""
    tool("git", "Debian: git")
    found = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, check=False)
    assert found.returncode == 0
