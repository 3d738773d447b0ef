"""The token in a real Vault (OpenBao): it comes late, goes away, comes back, is replaced, and calls go on."""

import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.sandbox import Sandbox
from gateway.sandbox.tokens import Token
from tests.e2e.caller import Caller
from tests.e2e.conftest import TOKEN, GatewayWith, Platform, settings_for
from tests.e2e.flying import DEDUP, times_run
from tests.e2e.process import config_file, serving
from tests.e2e.scraping import counting
from tests.e2e.test_rotation import SECOND, Load, restored, used
from tests.e2e.waiting import until
from tests.openbao import Bao, openbao

pytestmark = pytest.mark.full

ROLE_ID, SECRET_ID = "role-id-0123456789", "secret-id-9876543210"
CHECK = "token default/default"
NEVER = "24h"


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    with openbao(tmp_path, started=False) as server:
        yield server


def fill(bao: Bao, token: str = TOKEN) -> None:
    bao.put(token=token)
    bao.allow(ROLE_ID, SECRET_ID)


def in_vault(bao: Bao, folder: Path, refresh: str = "1s") -> dict[str, Any]:
    """The settings of a token there, by AppRole, its credentials in files."""
    (folder / "role-id").write_text(ROLE_ID + "\n")
    (folder / "secret-id").write_text(SECRET_ID + "\n")
    role = {
        "role_id": {"file": str(folder / "role-id")},
        "secret_id": {"file": str(folder / "secret-id")},
    }
    return {
        "vault": {
            "path": "team/platform",
            "key": "token",
            "address": bao.address,
            "refresh": refresh,
            "auth": {"approle": role},
        }
    }


def detail(caller: Caller) -> str:
    return str(caller.get("/readyz?verbose").json()["checks"][CHECK]["detail"])


def test_a_vault_that_is_down_at_the_start_is_waited_for(
    bao: Bao, platform: Platform, tmp_path: Path
) -> None:
    settings = settings_for(platform.base_url, token=in_vault(bao, tmp_path))
    with serving(tmp_path, settings, {}, readiness=503) as gateway:
        assert detail(gateway.caller).endswith("it cannot be reached (Connection refused)")
        assert gateway.caller.json("databases/get", id=1).status == 503
        bao.start()
        until(lambda: detail(gateway.caller).endswith("permission denied"), "it is asked again")
        fill(bao)
        until(lambda: gateway.caller.get("/readyz").status == 200, "it is ready by itself")
        assert gateway.caller.json("databases/get", id=1).error == 0
        assert gateway.stop(signal.SIGTERM) == 0
    assert "token default/default is not there yet" in gateway.log
    assert "token default/default has come from vault" in gateway.log


def test_while_a_vault_is_down_calls_go_on_and_what_changed_is_taken_when_it_is_back(
    bao: Bao, gateway_with: GatewayWith, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.tokens.add(Token("second", SECOND))
    bao.start()
    fill(bao)
    caller = gateway_with(token=in_vault(bao, tmp_path))
    assert used(caller, sandbox) == "full-1"
    bao.stop()
    until(lambda: "it cannot be reached" in detail(caller), "it is noticed")
    assert caller.get("/readyz").status == 200
    assert used(caller, sandbox) == "full-1"
    bao.start()
    fill(bao, SECOND)
    until(lambda: used(caller, sandbox) == "second", "the new token is used")
    assert detail(caller) == f"from vault {bao.address} secret/team/platform"


def test_rotations_under_load_fail_no_call(
    bao: Bao, gateway_with: GatewayWith, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nothing is read again by itself here: the platform's 401 alone has Vault asked."""
    bao.start()
    fill(bao)
    caller, last = gateway_with(token=in_vault(bao, tmp_path, refresh=NEVER), dedup=DEDUP), TOKEN
    with counting(caller) as changes, Load(caller) as load, restored(sandbox):
        for number in range(3):
            new = f"rotated-token-{number}"
            sandbox.tokens.add(Token(new, new))
            bao.put(token=new)
            sandbox.tokens.revoke(last)
            load.wait_for_new_calls()
            last = new
    codes = Counter(code for of_one in load.codes for code in of_one)
    assert set(codes) == {("read", 0), ("write", 0)}
    assert times_run(sandbox) == codes["write", 0]
    rotations = changes.of("gateway_token_rotations_total", "account", "token")
    assert rotations == {("default", "default"): 3}


def test_no_credential_of_the_vault_is_shown(bao: Bao, platform: Platform, tmp_path: Path) -> None:
    """Each is a word that could be a method's name, and is called as one."""
    bao.start()
    fill(bao)
    settings = settings_for(platform.base_url, token=in_vault(bao, tmp_path), log={"level": "debug"})
    with serving(tmp_path, settings, {}) as gateway:
        for word in (ROLE_ID, SECRET_ID, TOKEN):
            reply = gateway.caller.json("databases/get", ("Request-ID", word), ("Gateway-Caller", word), id=1)
            assert reply.error == 0
            assert word.encode() not in gateway.caller.json(word, id=word).body
        bao.stop()
        until(lambda: "it cannot be reached" in detail(gateway.caller), "the loss is noticed")
        pages = [gateway.caller.get(path).body for path in ("/readyz?verbose", "/metrics")]
        assert gateway.stop(signal.SIGTERM) == 0
    said = gateway.log + gateway.stderr.read_text() + b"".join(pages).decode()
    assert not [word for word in (ROLE_ID, SECRET_ID, TOKEN) if word in said]
    assert not re.search(r"\bs\.[A-Za-z0-9]{20}", said), "a login's token, as this server writes them"


def test_a_reload_to_a_vault_that_gives_nothing_is_refused(
    bao: Bao, platform: Platform, tmp_path: Path
) -> None:
    settings = settings_for(platform.base_url)
    with serving(tmp_path, settings, {"TOKEN": TOKEN}) as gateway:
        changed = settings_for(platform.base_url, token=in_vault(bao, tmp_path))
        config_file(tmp_path, changed)
        refused = gateway.caller.send("POST", "/-/reload", b"")
        assert refused.status == 422
        assert b"it cannot be reached" in refused.body
        assert gateway.caller.json("databases/get", id=1).error == 0
