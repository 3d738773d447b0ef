"""`gateway sandbox --help` teaches, and what it teaches is so."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click.testing
import httpx
import pytest

from gateway.cli import commands
from gateway.sandbox.codes import Code
from gateway.sandbox.faults import Kind, When
from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.serving import running_in_thread

HELP = click.testing.CliRunner().invoke(commands, ["sandbox", "--help"]).output
ROW = re.compile(r"^ +(\d+)  ([a-z_/]+) +(\{.*?\})(?: with the token (\S+))?$", re.MULTILINE)
ROWS = ROW.findall(HELP)
CURL = [
    shlex.split(line) for line in HELP.replace("\\\n", " ").splitlines() if line.strip().startswith("curl ")
]


def test_every_code_is_in_it() -> None:
    assert {int(code) for code, *_ in ROWS} | {415} == set(Code)
    assert "415  any method, with another Content-Type" in HELP


@pytest.mark.parametrize(("code", "api_method", "params", "token"), ROWS, ids=[row[0] for row in ROWS])
def test_its_requests_are_answered_with_their_code(
    ask: Callable[..., Any], code: str, api_method: str, params: str, token: str
) -> None:
    assert ask(api_method, token=token or "sandbox", **json.loads(params))["error"] == int(code)


def test_its_curl_commands_work() -> None:
    sandbox = Sandbox()
    with running_in_thread(sandbox) as base_url:
        read, fault, calls, reset = (replayed(words, base_url) for words in CURL)
        assert read.json()["data"]["email"] == "customer1@example.com"
        assert [call["api_method"] for call in calls.json()] == ["profiles/get"]
        (waiting,) = fault.json()
        assert (waiting["kind"], waiting["when"]) == (Kind.RESET, When.AFTER)
        assert (reset.status_code, list(sandbox.calls)) == (200, [])


def replayed(words: list[str], base_url: str) -> httpx.Response:
    """A curl command, made without curl and at another port."""
    url = urlsplit(next(word for word in words if word.startswith("http")))
    data = words[words.index("-d") + 1] if "-d" in words else ""
    name, _, value = (words[words.index("-H") + 1] if "-H" in words else "Accept: */*").partition(": ")
    is_post = bool(data) or "POST" in words
    address = base_url.removesuffix("/api/v1.1") + url.path
    return httpx.request("POST" if is_post else "GET", address, content=data, headers={name: value})


def test_it_fits_a_terminal() -> None:
    lines = HELP.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 66
