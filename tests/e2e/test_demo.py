"""`gateway demo`: a newcomer's first minute. The calls that it prints work as they stand."""

import json
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.caller import PATIENCE, Caller, Reply
from tests.e2e.process import Running, run, running
from tests.e2e.scraping import scrape_used
from tests.tools import tool


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, "demo", "--port", "0", environ={}) as gateway:
        yield gateway


def printed_calls(demo: Running) -> list[str]:
    """The curl commands, each in one line."""
    lines = demo.log.replace("\\\n", " ").splitlines()
    calls = [line.strip() for line in lines if line.strip().startswith("curl ")]
    assert len(calls) == 2
    return calls


def replayed(demo: Running, command: str) -> Reply:
    """The call of a curl command, made without curl."""
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http"))
    name, _, value = words[words.index("-H") + 1].partition(": ")
    target = url.removeprefix(demo.caller.address)
    return demo.caller.send("POST", target, words[words.index("-d") + 1], (name, value))


def test_the_printed_calls_work_and_are_counted(demo: Running) -> None:
    in_json, in_xml = (replayed(demo, command) for command in printed_calls(demo))
    assert in_json.json()["error"] == 0
    assert in_xml.xml().findtext("data/_fname") == "Jim"
    page = scrape_used(demo.caller)
    for api_method in ("profiles/import", "profiles/get"):
        labels = {"api_method": api_method, "code": "0", "origin": "upstream"}
        assert page.value("gateway_requests_total", **labels) == 1


def test_the_sandbox_saw_the_token_and_the_caller_never_did(demo: Running) -> None:
    replies = [replayed(demo, command) for command in printed_calls(demo)]
    address = next(word for word in demo.log.split() if word.endswith("/-/calls"))
    calls = json.loads(Caller(address.removesuffix("/-/calls")).get("/-/calls").body)
    assert [call["token_places"] for call in calls] == [["body"], ["body"]]
    assert [call["token"] for call in calls] == ["full-1", "full-1"]
    assert not [command for command in printed_calls(demo) if "token" in command]
    assert not [reply for reply in replies if b"token" in reply.body]


def test_ctrl_c_is_how_it_ends_and_no_failure(demo: Running) -> None:
    assert demo.stop(signal.SIGINT) == 0
    assert "Traceback" not in demo.stderr.read_text()


def test_where_the_port_is_taken_it_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("demo", "--port", str(taken.getsockname()[1]), directory=tmp_path)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "Address already in use" in ended.err


@pytest.mark.full
def test_the_printed_calls_work_in_a_shell(demo: Running) -> None:
    tool("curl", "Debian: curl")
    told = [
        subprocess.run(["sh", "-c", command], capture_output=True, timeout=PATIENCE, check=True).stdout
        for command in printed_calls(demo)
    ]
    assert json.loads(told[0])["error"] == 0
    assert b"<_fname>Jim</_fname>" in told[1]
