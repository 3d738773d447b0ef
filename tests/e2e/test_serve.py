"""`gateway serve` as a process: how it starts, what it logs, how it ends."""

import json
import os
import pty
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.sandbox.faults import Fault, Kind
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.caller import JSON, PATIENCE, Caller
from tests.e2e.conftest import TOKEN, Platform, settings_for
from tests.e2e.process import COMMAND, Running, clean, config_file, run, serving
from tests.e2e.waiting import until

ENVIRON = {"TOKEN": TOKEN}


@pytest.fixture
def served(platform: Platform, tmp_path: Path) -> Iterator[Running]:
    settings = settings_for(platform.base_url, drain={"delay": "1s", "timeout": "10s"})
    with serving(tmp_path, settings, ENVIRON) as gateway:
        yield gateway


def test_it_serves_calls_and_logs_one_line_for_each(served: Running, sandbox: Sandbox) -> None:
    good = served.caller.json("databases/get", id=1)
    bad = served.caller.call("databases/get", "{")
    assert (good.error, bad.error) == (0, 400)
    assert [call.token for call in sandbox.calls] == ["full-1"]
    assert served.stop(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in served.log.splitlines()]
    calls = [line for line in lines if line["logger"] == "gateway.calls"]
    assert [(line["api_method"], line["code"], line["origin"], line["request_id"]) for line in calls] == [
        ("databases/get", 0, "upstream", good.header("request-id")),
        ("databases/get", 400, "gateway", bad.header("request-id")),
    ]
    assert [line["level"] for line in calls] == ["info", "warning"]
    assert not [line for line in lines if "access" in line["logger"]]
    assert served.stderr.read_text() == ""


def test_its_start_and_its_end_are_events(served: Running) -> None:
    assert served.stop(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in served.log.splitlines()]
    started, stopping, stopped = (line for line in lines if "event" in line)
    assert (started["event"], started["address"]) == ("started", served.caller.address)
    assert started["configuration"].endswith("config.yaml")
    assert [account.split()[0] for account in started["accounts"]] == ["default"]
    assert started["stores"] == ["cache off", "repeats off"]
    assert (stopping["event"], stopping["signal"]) == ("stopping", "SIGTERM")
    assert (stopped["event"], stopped["cut"]) == ("stopped", 0)
    assert lines[-1] == stopped


def test_a_connection_that_was_refused_is_logged_with_its_peer(served: Running) -> None:
    with served.caller.connected() as connection:
        host, port = connection.getsockname()
        connection.sendall(b"this is no HTTP\r\n\r\n")
        while connection.recv(1024):
            pass
    assert served.stop(signal.SIGTERM) == 0
    said = [json.loads(line)["message"] for line in served.log.splitlines()]
    assert f"the connection of {host}:{port} was ended: this is no proper HTTP/1.1" in said


def test_whoever_sits_in_front_of_it_is_told_what_listens_where(platform: Platform, tmp_path: Path) -> None:
    config = config_file(tmp_path, settings_for(platform.base_url))
    shown = on_a_terminal(config, subprocess.DEVNULL)
    assert b"listens on    http://127.0.0.1:" in shown
    assert b"account       default: " + platform.base_url.encode() + b", token from env TOKEN\r\n" in shown
    assert TOKEN.encode() not in shown


def test_in_a_terminal_the_start_is_said_once_and_a_store_that_failed_as_such(
    platform: Platform, tmp_path: Path
) -> None:
    journal = tmp_path / "gone" / "journal.db"
    sections = settings_for(platform.base_url) | {"dedup": {"journal": str(journal)}}
    shown = on_a_terminal(config_file(tmp_path, sections), subprocess.STDOUT)
    assert shown.count(b"listens on") == 1
    assert f", journal {journal} (cannot be used now)\r\n".encode() in shown


def on_a_terminal(config: Path, stdout: int) -> bytes:
    """All that a gateway says on its terminal, from its start to its end. `stdout`: STDOUT for the same."""
    ours, theirs = pty.openpty()
    with (
        open(ours, "rb", buffering=0) as screen,
        subprocess.Popen(
            [*COMMAND, "serve", "--config", str(config)],
            stdout=theirs if stdout == subprocess.STDOUT else stdout,
            stderr=theirs,
            env=clean({**ENVIRON, "NO_COLOR": "1"}),
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        try:
            while b"settings" not in shown:
                shown += screen.read(1024)
            process.terminate()
            with suppress(OSError):  # EIO: nobody holds the other end any more
                while piece := screen.read(1024):
                    shown += piece
        finally:
            process.terminate()
    return shown


def test_on_sigterm_it_is_not_ready_first_and_a_call_in_flight_is_answered(
    served: Running, sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    with ThreadPoolExecutor(1) as other:
        slow = other.submit(served.caller.json, "databases/get", id=1)
        sandbox.calls.arrived(1).result(PATIENCE)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: served.caller.get("/readyz").status == 503, "it says that it is not ready")
        assert served.caller.get("/livez").status == 200
        assert served.caller.json("databases/list").error == 0
        until(lambda: not listens(served.caller), "it takes no callers any more")
        sandbox.faults.release()
        assert slow.result(PATIENCE).error == 0
    assert served.process.wait(PATIENCE) == 0


def listens(caller: Caller) -> bool:
    try:
        caller.connected().close()
    except ConnectionRefusedError:
        return False
    return True


def test_sigint_ends_it_with_130(served: Running) -> None:
    assert served.stop(signal.SIGINT) == 130
    assert served.stderr.read_text() == ""


def test_a_second_signal_ends_the_waiting(platform: Platform, tmp_path: Path) -> None:
    settings = settings_for(platform.base_url, drain={"timeout": "5m"})
    platform.sandbox.faults.add(Fault(Kind.STALL, "databases/get"))
    with serving(tmp_path, settings, ENVIRON) as gateway, gateway.caller.connected() as connection:
        head = f"POST /api/v1.1/databases/get HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\n"
        connection.sendall(f'{head}Content-Length: 9\r\n\r\n{{"id": 1}}'.encode())
        platform.sandbox.calls.arrived(1).result(PATIENCE)
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: not listens(gateway.caller), "it takes no callers any more")
        assert gateway.process.poll() is None
        assert gateway.stop(signal.SIGTERM) == 0


def test_a_second_signal_ends_the_delay_too(platform: Platform, tmp_path: Path) -> None:
    settings = settings_for(platform.base_url, drain={"delay": "1h", "timeout": "1h"})
    with serving(tmp_path, settings, ENVIRON) as gateway:
        gateway.process.send_signal(signal.SIGTERM)
        until(lambda: gateway.caller.get("/readyz").status == 503, "it says that it is not ready")
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(PATIENCE) == 0


def test_a_write_that_the_end_cuts_off_is_told_that_its_outcome_is_unknown(
    platform: Platform, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(Fault(Kind.STALL, "profiles/import"))
    settings = settings_for(platform.base_url, drain={"timeout": "1s"})
    with serving(tmp_path, settings, ENVIRON) as gateway, ThreadPoolExecutor(1) as other:
        write = other.submit(gateway.caller.json, "profiles/import", db_id=1, email="jim@example.com")
        sandbox.calls.arrived(1).result(PATIENCE)
        gateway.process.send_signal(signal.SIGTERM)
        answer = write.result(PATIENCE)
        assert gateway.process.wait(PATIENCE) == 0
    assert (answer.status, answer.error) == (503, 503)
    assert "the outcome is unknown, repeating is safe with the same Request-ID" in (answer.error_text or "")
    (call,) = sandbox.calls
    assert answer.header("request-id") == call.request_id
    assert gateway.stderr.read_text() == ""
    assert "Traceback" not in gateway.log


def test_sighup_is_no_end(served: Running) -> None:
    served.process.send_signal(signal.SIGHUP)
    until(lambda: "the configuration was read again: nothing changed" in served.log, "it has read it again")
    assert served.caller.json("databases/get", id=1).error == 0


def test_xml_that_is_converted_in_a_worker_process_arrives_whole(served: Running, sandbox: Sandbox) -> None:
    """Over a megabyte; the worker does not keep the gateway from ending."""
    count = 9000
    profile = "<data><email>p%d@example.com</email><_fname>&#233;%s</_fname></data>"
    items = "".join(profile % (number, "x" * 100) for number in range(count))
    reply = served.caller.xml("profiles/import_batch", f"<xml><db_id>1</db_id>{items}</xml>")
    assert {item.findtext("error") for item in reply.xml().iterfind("result/xml")} == {"0"}
    assert len(reply.xml().findall("result/xml")) == count
    (call,) = sandbox.calls.executed("profiles/import_batch")
    sent = call.params["data"]
    assert isinstance(sent, list)
    assert sent[-1] == {"email": f"p{count - 1}@example.com", "_fname": "é" + "x" * 100}
    assert served.stop(signal.SIGTERM) == 0


def test_it_listens_on_a_unix_socket_for_its_group_only(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    settings = settings_for(platform.base_url, listen={"uds": str(path)})
    with serving(tmp_path, settings, ENVIRON) as gateway:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert gateway.caller.address == f"unix:{path}"
        assert gateway.caller.json("databases/get", id=1).error == 0
        assert gateway.caller.send("GET", "/metrics", b"", hosts=["evil.example"]).status == 403
        assert gateway.stop(signal.SIGTERM) == 0
    assert not path.exists()


def test_a_unix_socket_that_a_crash_left_behind_is_taken_over(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "g.sock"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(path))
    settings = settings_for(platform.base_url, listen={"uds": str(path)})
    with serving(tmp_path, settings, ENVIRON) as gateway:
        assert gateway.caller.json("databases/get", id=1).error == 0


def test_settings_in_the_environment_beat_the_file(platform: Platform, tmp_path: Path) -> None:
    settings = settings_for("http://127.0.0.1:9/api/v1.1")
    environ = {**ENVIRON, "GATEWAY_UPSTREAM__BASE_URL": platform.base_url, "GATEWAY_LOG__FORMAT": "text"}
    with serving(tmp_path, settings, environ) as gateway:
        assert gateway.caller.json("databases/get", id=1).error == 0
        assert gateway.stop(signal.SIGTERM) == 0
    assert not gateway.log.startswith("{")


@pytest.mark.parametrize(
    ("token", "environ", "reason"),
    [
        pytest.param({"env": "TOKEN"}, {}, "env TOKEN: the variable is not set", id="no variable"),
        pytest.param({"env": "TOKEN"}, {"TOKEN": ""}, "env TOKEN: there is no token", id="an empty variable"),
        pytest.param(
            {"env": "TOKEN"}, {"TOKEN": "abc"}, "env TOKEN: the token is shorter than 8 bytes", id="too short"
        ),
        pytest.param({"file": "gone"}, {}, "gone: No such file or directory", id="no file"),
    ],
)
def test_without_a_token_it_does_not_start(
    platform: Platform, tmp_path: Path, token: dict[str, str], environ: dict[str, str], reason: str
) -> None:
    config = config_file(tmp_path, settings_for(platform.base_url, token=token))
    ended = run("serve", "--config", str(config), directory=tmp_path, environ=environ)
    assert ended.code == 1
    assert ended.err.startswith("gateway: ")
    assert ended.err.endswith(f"{reason}\n")
    assert ended.err.count("\n") == 1


def test_where_the_port_is_taken_it_does_not_start(platform: Platform, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = config_file(tmp_path, settings_for(platform.base_url, listen={"port": port}))
        ended = run("serve", "--config", str(config), directory=tmp_path, environ=ENVIRON)
    assert ended.code == 1
    assert ended.err.startswith("gateway: ")
    assert "Address already in use" in ended.err
    assert ended.err.count("\n") == 1


def test_with_a_bad_configuration_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("upstream:\n  base_url: nonsense\nlog:\n  format: html\n")
    ended = run("serve", directory=tmp_path, environ=ENVIRON)
    assert ended.code == 1
    assert [line.split(":")[:2] for line in ended.err.splitlines()] == [
        ["config.yaml", "2 upstream.base_url"],
        ["config.yaml", "4 log.format"],
    ]
