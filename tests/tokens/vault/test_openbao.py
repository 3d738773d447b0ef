"""The same promises asked of a real server."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.errors import TokenMissingError
from gateway.settings.token_source import TokenSource as TokenSettings
from gateway.token_places import TokenPlaces
from gateway.tokens.secret import Secret
from gateway.tokens.sources import TokenSource
from gateway.tokens.vault.source import LEAST
from tests.openbao import ROOT, Bao, openbao

pytestmark = [pytest.mark.anyio, pytest.mark.full]

ROLE, SECRET = "role-id-of-the-test", "secret-id-of-the-test"
FIRST, SECOND = "first-token-4d774e52", "other-token-1fa003cd"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as server:
        yield server


class Hand:
    """A clock that the test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def learned() -> list[str]:
    return []


Making = Callable[..., TokenSource]


@pytest.fixture
def making(bao: Bao, hand: Hand, learned: list[str]) -> Making:
    """A source in the way its settings are written."""

    def make(*, environ: dict[str, str], auth: object, **more: object) -> TokenSource:
        places = TokenPlaces(environ, hand, lambda: 0.5, lambda secret, _: learned.append(secret.reveal()))
        vault = {"path": "team/platform", "key": "token", "address": bao.address, "auth": auth, **more}
        return places.source(TokenSettings.model_validate({"vault": vault}))

    return make


APPROLE = {"approle": {"role_id": {"env": "ROLE"}, "secret_id": {"env": "SECRET"}}}
TOKEN = {"token": {"env": "VAULT_TOKEN"}}


async def read(source: TokenSource, hand: Hand) -> str:
    hand.now += LEAST
    return (await source.read()).reveal()


async def test_by_approle(bao: Bao, making: Making, hand: Hand, learned: list[str]) -> None:
    bao.put(token=FIRST)
    bao.allow(ROLE, SECRET)
    source = making(environ={"ROLE": ROLE, "SECRET": SECRET}, auth=APPROLE)
    assert await read(source, hand) == FIRST
    bao.put(token=SECOND)
    assert await read(source, hand) == SECOND
    assert learned[:2] == [ROLE, SECRET]
    assert len(learned) == 3


async def test_by_a_token_in_a_file(bao: Bao, making: Making, hand: Hand, tmp_path: Path) -> None:
    bao.put(token=FIRST)
    file = tmp_path / "vault-token"
    file.write_text(bao.token())
    source = making(environ={}, auth={"token": {"file": str(file)}})
    assert await read(source, hand) == FIRST
    bao.revoke(file.read_text())
    file.write_text(bao.token())
    assert await read(source, hand) == FIRST


async def test_by_a_token_that_may_do_nothing_but_read(bao: Bao, making: Making, hand: Hand) -> None:
    bao.put(token=FIRST)
    source = making(environ={"VAULT_TOKEN": bao.token(default=False)}, auth=TOKEN)
    assert await read(source, hand) == FIRST


async def test_a_short_lease_is_renewed_and_in_the_end_made_anew(
    bao: Bao, making: Making, hand: Hand, learned: list[str]
) -> None:
    bao.put(token=FIRST)
    bao.allow(ROLE, "short-lived-secret", ttl="20s", max_ttl="30s")
    source = making(environ={"ROLE": ROLE, "SECRET": "short-lived-secret"}, auth=APPROLE)
    assert await read(source, hand) == FIRST
    hand.now += 14  # the real clock stands still beside it: the renewal gives the whole time again
    assert await read(source, hand) == FIRST
    assert len(set(learned)) == 3
    hand.now += 25  # over by this clock
    assert await read(source, hand) == FIRST
    assert len(set(learned)) == 4


async def test_a_login_that_was_revoked_is_made_anew(
    bao: Bao, making: Making, hand: Hand, learned: list[str]
) -> None:
    bao.put(token=FIRST)
    bao.allow(ROLE, "revoked-secret-id")
    source = making(environ={"ROLE": ROLE, "SECRET": "revoked-secret-id"}, auth=APPROLE)
    await read(source, hand)
    bao.revoke(learned[-1])
    assert await read(source, hand) == FIRST


async def test_a_namespace_is_a_vault_of_its_own(bao: Bao, making: Making, hand: Hand) -> None:
    bao.put(token=FIRST)
    bao.namespace("team-a").put(token=SECOND)
    environ = {"VAULT_TOKEN": ROOT, "VAULT_NAMESPACE": "team-a/"}
    assert await read(making(environ=environ, auth=TOKEN), hand) == SECOND
    assert await read(making(environ=environ, auth=TOKEN, namespace="team-a"), hand) == SECOND
    elsewhere = making(environ=environ, auth=TOKEN, namespace="team-b")
    with pytest.raises(TokenMissingError, match="there is no such namespace"):
        await read(elsewhere, hand)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            {"path": "team/none"}, "there is no such secret, or its latest version was deleted", id="path"
        ),
        pytest.param({"path": "other"}, "permission denied", id="policy"),
        pytest.param({"key": "other"}, "the secret has no key other", id="key"),
        pytest.param(
            {"address": "http://127.0.0.1:1"}, "it cannot be reached (Connection refused)", id="gone"
        ),
    ],
)
async def test_what_is_wrong_is_said(
    bao: Bao, making: Making, hand: Hand, change: dict[str, str], problem: str
) -> None:
    bao.put(token=FIRST)
    source = making(environ={"VAULT_TOKEN": bao.token()}, auth=TOKEN, **change)
    with pytest.raises(TokenMissingError) as refusal:
        await read(source, hand)
    assert str(refusal.value) == f"{source.describe()}: {problem}"


async def test_a_refused_login_is_said(bao: Bao, making: Making, hand: Hand) -> None:
    bao.allow(ROLE, "yet-another-secret")
    source = making(environ={"ROLE": ROLE, "SECRET": "nobody-knows-this"}, auth=APPROLE)
    with pytest.raises(TokenMissingError, match=r"the login was refused$"):
        await read(source, hand)


async def test_tokens_of_one_login_share_it(bao: Bao, hand: Hand, learned: list[str]) -> None:
    bao.put(token=FIRST, reader=SECOND)
    bao.allow(ROLE, "shared-secret-id")
    environ = {"ROLE": ROLE, "SECRET": "shared-secret-id", "VAULT_ADDR": bao.address}
    places = TokenPlaces(environ, hand, lambda: 0.5, lambda secret, _: learned.append(secret.reveal()))
    sources = [
        places.source(
            TokenSettings.model_validate({"vault": {"path": "team/platform", "key": key, "auth": APPROLE}})
        )
        for key in ("token", "reader")
    ]
    found: list[Secret] = await asyncio.gather(*(source.read() for source in sources))
    assert [secret.reveal() for secret in found] == [FIRST, SECOND]
    assert len(learned) == 3
