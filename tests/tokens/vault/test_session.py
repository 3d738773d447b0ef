"""A login at Vault: kept while it is good, renewed in time, made anew when Vault says that it is worth
nothing.

The Vault here does what each test says; tests/tokens/vault/test_openbao.py asks a real one the same.
"""

import asyncio
import threading
from collections.abc import Mapping

import pytest

from gateway.errors import TokenMissingError
from gateway.tokens.secret import Secret
from gateway.tokens.sources import EnvSource
from gateway.tokens.vault.client import Server, VaultClient, VaultDeniedError, VaultError, VaultRefusedError
from gateway.tokens.vault.lease import Lease
from gateway.tokens.vault.login import AppRoleLogin, Login, TokenLogin
from gateway.tokens.vault.session import VaultSession

pytestmark = pytest.mark.anyio

ROLE, SECRET, OTHER_SECRET = "role-id-of-the-test", "secret-id-of-the-test", "another-secret-id"


class ScriptedClient(VaultClient):
    """Answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(Server("http://vault:8200", None, None, timeout=5.0), lambda: self.time)
        self.time = 0.0
        self.seconds = 90.0
        self.renewable = True
        self.asked: list[str] = []
        self.refuses: dict[str, list[Exception]] = {}
        self.hold: threading.Event | None = None  # until it is set, nothing is answered

    def log_in(self, mount: str, role_id: Secret, secret_id: Secret) -> Lease:
        self._ask(f"login {secret_id.reveal()}", "login")
        logins = sum(asked.startswith("login") for asked in self.asked)
        return Lease(Secret(f"login-number-{logins}"), self.time, self.seconds, self.renewable)

    def look_up(self, token: Secret) -> Lease:
        self._ask(f"look up {token.reveal()}", "look up")
        return Lease(token, self.time, self.seconds, self.renewable)

    def renew(self, token: Secret) -> Lease:
        self._ask(f"renew {token.reveal()}", "renew")
        return Lease(token, self.time, self.seconds, self.renewable)

    def read(self, token: Secret, mount: str, path: str) -> Mapping[str, object]:
        self._ask(f"read {token.reveal()}", "read")
        return {"token": "the-token-itself"}

    def _ask(self, said: str, kind: str) -> None:
        self.asked.append(said)
        if self.hold is not None:
            self.hold.wait(20)
        if self.refuses.get(kind):
            raise self.refuses[kind].pop(0)


class Rig:
    def __init__(self, *, token: bool = False) -> None:
        self.environ = {"ROLE": ROLE, "SECRET": SECRET, "TOKEN": "a-vault-token"}
        self.client = ScriptedClient()
        self.learned: list[str] = []
        login: Login = (
            TokenLogin(self._env("TOKEN"))
            if token
            else AppRoleLogin("approle", self._env("ROLE"), self._env("SECRET"))
        )
        self.session = VaultSession(
            self.client,
            login,
            lambda secret, _: self.learned.append(secret.reveal()),
            lambda: self.client.time,
        )

    def _env(self, name: str) -> EnvSource:
        return EnvSource(name, self.environ)

    async def read(self) -> list[str]:
        """Read the secret; what Vault was asked for that."""
        begin = len(self.client.asked)
        assert await self.session.read("secret", "team/platform") == {"token": "the-token-itself"}
        return self.client.asked[begin:]


async def test_a_login_is_used_again_while_it_is_good() -> None:
    rig = Rig()

    assert await rig.read() == [f"login {SECRET}", "read login-number-1"]
    assert await rig.read() == ["read login-number-1"]


async def test_a_login_is_renewed_before_it_ends_and_made_anew_when_it_has() -> None:
    rig = Rig()
    await rig.read()

    rig.client.time = rig.session.step_at
    assert await rig.read() == ["renew login-number-1", "read login-number-1"]
    rig.client.time = rig.session.step_at + 60
    assert await rig.read() == [f"login {SECRET}", "read login-number-2"]


@pytest.mark.parametrize("refusal", [VaultDeniedError("denied"), VaultRefusedError("cannot be renewed")])
async def test_a_login_that_cannot_be_renewed_is_made_anew(refusal: Exception) -> None:
    rig = Rig()
    await rig.read()

    rig.client.time = rig.session.step_at
    rig.client.refuses["renew"] = [refusal]

    assert await rig.read() == ["renew login-number-1", f"login {SECRET}", "read login-number-2"]


async def test_a_renewal_that_fails_is_tried_again_while_the_login_lasts() -> None:
    rig = Rig()
    await rig.read()

    rig.client.time = rig.session.step_at
    rig.client.refuses["renew"] = [VaultError("away")]

    assert await rig.read() == ["renew login-number-1", "read login-number-1"]
    assert await rig.read() == ["renew login-number-1", "read login-number-1"]


async def test_a_login_that_was_revoked_is_made_anew_at_once() -> None:
    rig = Rig()
    await rig.read()

    rig.client.refuses["read"] = [VaultDeniedError("permission denied")]

    assert await rig.read() == ["read login-number-1", f"login {SECRET}", "read login-number-2"]


async def test_a_new_login_that_may_not_read_is_no_reason_for_another() -> None:
    rig = Rig()
    rig.client.refuses["read"] = [VaultDeniedError("permission denied")] * 2

    with pytest.raises(VaultDeniedError):
        await rig.read()

    assert rig.client.asked == [f"login {SECRET}", "read login-number-1"]


async def test_new_credentials_are_used_at_the_next_look() -> None:
    rig = Rig()
    await rig.read()

    rig.environ["SECRET"] = OTHER_SECRET

    assert await rig.read() == [f"login {OTHER_SECRET}", "read login-number-2"]


async def test_a_login_outlives_its_credentials() -> None:
    rig = Rig()
    await rig.read()

    del rig.environ["SECRET"]

    assert await rig.read() == ["read login-number-1"]


async def test_without_credentials_nothing_is_asked() -> None:
    rig = Rig()
    del rig.environ["SECRET"]

    with pytest.raises(TokenMissingError, match="env SECRET: the variable is not set"):
        await rig.read()

    assert rig.client.asked == []


async def test_a_token_is_looked_up_once_and_renewed_in_time() -> None:
    rig = Rig(token=True)

    assert await rig.read() == ["look up a-vault-token", "read a-vault-token"]
    rig.client.time = rig.session.step_at
    assert await rig.read() == ["renew a-vault-token", "read a-vault-token"]


async def test_a_token_that_may_not_be_looked_up_is_used_all_the_same() -> None:
    rig = Rig(token=True)
    rig.client.refuses["look up"] = [VaultDeniedError("permission denied")]

    await rig.read()

    assert await rig.read() == ["read a-vault-token"]


async def test_a_token_that_an_agent_replaced_is_taken_at_the_next_look() -> None:
    rig = Rig(token=True)
    await rig.read()

    rig.environ["TOKEN"] = "the-agents-next-token"

    assert await rig.read() == ["look up the-agents-next-token", "read the-agents-next-token"]


async def test_every_secret_on_the_way_is_learned_before_it_is_used() -> None:
    rig = Rig()
    rig.client.refuses["login"] = [VaultError("away")]

    with pytest.raises(VaultError):
        await rig.read()
    assert rig.learned == [ROLE, SECRET]
    await rig.read()

    assert rig.learned[-1] == "login-number-2"


async def test_a_vault_that_hangs_is_left_behind() -> None:
    """Whoever reads waits no longer than is set, and the next one does not wait for the hanging request."""
    rig, release = Rig(), threading.Event()
    await rig.read()
    rig.client.server = Server("http://vault:8200", None, None, timeout=0.05)
    rig.client.hold = release
    with pytest.raises(VaultError, match="it did not answer in time"):
        await rig.read()
    rig.client.hold = None
    assert await rig.read() == ["read login-number-1"]
    release.set()


async def test_readers_take_turns() -> None:
    rig = Rig()

    await asyncio.gather(*(rig.session.read("secret", "team/platform") for _ in range(3)))

    assert rig.client.asked == [f"login {SECRET}", *["read login-number-1"] * 3]
