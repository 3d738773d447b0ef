"""A gateway whose token is in a Vault that gives nothing: what it says, and that it runs all the same."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import settings_for
from tests.e2e.process import clean, config_file, run, serving

NOWHERE = "http://127.0.0.1:1"
CHECK = "token default/default"
VAULT: dict[str, Any] = {"path": "team/platform", "key": "token", "address": NOWHERE}


def settings(**vault: Any) -> dict[str, Any]:
    return settings_for("http://127.0.0.1:9/api/v1.1", token={"vault": {**VAULT, **vault}})


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        pytest.param(
            {"VAULT_TOKEN": "a-token-of-vault"}, "it cannot be reached (Connection refused)", id="away"
        ),
        pytest.param({}, "env VAULT_TOKEN: the variable is not set", id="no credentials"),
    ],
)
def test_it_starts_is_not_ready_and_says_why(tmp_path: Path, environ: dict[str, str], reason: str) -> None:
    with serving(tmp_path, settings(), environ, readiness=503) as gateway:
        assert gateway.caller.get("/livez").status == 200
        report = gateway.caller.get("/readyz?verbose").json()
        call = gateway.caller.json("databases/get", id=1)
        write = gateway.caller.json("profiles/import", db_id=1, email="jim@example.com", data={})
        assert gateway.stop(signal.SIGTERM) == 0
    detail = f"vault {NOWHERE} secret/team/platform: {reason}"
    assert report["checks"][CHECK] == {"ok": False, "detail": detail}
    for reply in (call, write):
        assert (reply.status, reply.error) == (503, 503)
        assert reply.error_text == "gateway: no token for the platform; nothing was sent"
        assert reply.header("retry-after") == "1"
    assert f"token default/default is not there yet: {detail}" in gateway.log
    assert gateway.stderr.read_text() == ""


@pytest.mark.parametrize("command", ["serve", "check"])
def test_without_the_library_one_line_says_what_to_install(tmp_path: Path, command: str) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['hvac'] = None\n")
    config = config_file(tmp_path, settings())
    path = f"{hidden}:{clean({})['PYTHONPATH']}"
    ended = run(command, "--config", str(config), directory=tmp_path, environ={"PYTHONPATH": path})
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"{config}:")
    assert ended.err.endswith(
        ' token: reading tokens from Vault needs hvac: install "platform-gateway[vault]"\n'
    )
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param({}, "vault.address is not set, and neither is VAULT_ADDR", id="none"),
        pytest.param(
            {"VAULT_ADDR": "http://me:s3cr3t@vault"},
            "VAULT_ADDR should hold neither a user name nor a query",
            id="with a password",
        ),
        pytest.param(
            {"VAULT_ADDR": "vault:8200"},
            "VAULT_ADDR should be an http or https address with a host",
            id="no address",
        ),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check"])
def test_without_an_address_there_is_nothing_to_wait_for(
    tmp_path: Path, command: str, environ: dict[str, str], problem: str
) -> None:
    config = config_file(tmp_path, settings(address=None))
    ended = run(command, "--config", str(config), directory=tmp_path, environ=environ)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(f" token: {problem}\n")
    assert ended.err.count("\n") == 1


def test_check_asks_no_vault(tmp_path: Path) -> None:
    config = config_file(tmp_path, settings())
    ended = run("check", "--config", str(config), directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
