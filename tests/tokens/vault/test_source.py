"""When Vault is asked: at its pace, sooner when there is a reason, never in a hurry."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.errors import TokenMissingError
from gateway.tokens.vault.client import VaultError
from gateway.tokens.vault.source import Place, VaultSource
from tests.skipping import BACKEND

pytestmark = pytest.mark.anyio

FIRST = "first-token-4d774e52"
NAMED = "vault http://vault:8200 secret/team/platform"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return BACKEND


class Scripted:
    """A session that says what the test has put into it, and when it was asked."""

    address = "http://vault:8200"

    def __init__(self) -> None:
        self.content: Mapping[str, object] = {"token": FIRST}
        self.problem: Exception | None = None
        self.step_at = float("inf")
        self.asked: list[float] = []

    async def read(self, mount: str, path: str) -> Mapping[str, object]:
        self.asked.append(now())
        if self.problem is not None:
            raise self.problem
        return self.content


def now() -> float:
    return asyncio.get_running_loop().time()


def source_of(session: Scripted, chance: float = 0.5) -> VaultSource:
    place = Place("secret", "team/platform", "token", refresh=60.0)
    return VaultSource(session, place, asyncio.get_running_loop().time, lambda: chance)


async def looked_at(source: VaultSource, seconds: int) -> None:
    """As the keeper does it: a look each second; it reads when the version is another one or the last reading
    failed."""
    version, failed = None, True
    for _ in range(seconds):
        if failed or await source.version() != version:
            version = await source.version()
            try:
                await source.read()
                failed = False
            except TokenMissingError:
                failed = True
        await asyncio.sleep(1)


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 54), (0.5, 60), (1.0, 66)])
async def test_a_secret_is_read_again_at_its_pace_more_or_less_by_a_tenth(chance: float, pause: int) -> None:
    session = Scripted()
    await looked_at(source_of(session, chance), 3 * pause)
    assert [round(moment) for moment in session.asked] == [0, pause, 2 * pause]


async def test_a_login_that_needs_a_look_is_not_kept_waiting() -> None:
    session = Scripted()
    session.step_at = 20.0
    await looked_at(source_of(session), 30)
    # Its lease stays as it is here, so it needs another look each time.
    assert [round(moment) for moment in session.asked][:3] == [0, 20, 21]


@pytest.mark.parametrize("chance", [0.0, 1.0])
async def test_a_vault_that_fails_is_asked_after_pauses_that_double_up_to_half_a_minute(
    chance: float,
) -> None:
    session = Scripted()
    session.problem = VaultError("it is sealed, or not active")
    await looked_at(source_of(session, chance), 300)
    pauses = [after - before for before, after in zip(session.asked, session.asked[1:], strict=False)]
    assert pauses[:5] == sorted(pauses[:5])
    assert {round(pause) for pause in pauses[-3:]} == {30 if chance else 15}


async def test_between_two_questions_the_last_problem_is_the_answer() -> None:
    session = Scripted()
    session.problem = VaultError("it is sealed, or not active")
    source = source_of(session)
    for _ in range(3):
        with pytest.raises(TokenMissingError) as refusal:
            await source.read()
        assert str(refusal.value) == f"{NAMED}: it is sealed, or not active"
    assert len(session.asked) == 1


async def test_after_a_success_pauses_begin_small_again() -> None:
    session = Scripted()
    source = source_of(session, chance=1.0)
    session.problem = VaultError("away")
    await looked_at(source, 100)
    session.problem = None
    await looked_at(source, 60)
    session.problem, session.asked = VaultError("away"), []
    await looked_at(source, 4)
    assert len(session.asked) == 3


async def test_readings_that_others_ask_for_are_a_second_apart() -> None:
    """A platform that rejects every call has the source read for each."""
    session = Scripted()
    source = source_of(session)
    for _ in range(5):
        await source.read()
    assert session.asked == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param({}, "the secret has no key token", id="other keys"),
        pytest.param({"token": None}, "the secret has no key token", id="null"),
        pytest.param({"token": 12345678}, "the key token holds no text", id="a number"),
        pytest.param({"token": "short"}, "key token: the token is shorter than 8 bytes", id="short"),
        pytest.param({"token": "\ud800" * 9}, "key token: the token is not UTF-8", id="half a character"),
    ],
)
async def test_a_secret_without_a_usable_token_is_told_and_not_shown(
    content: Mapping[str, object], problem: str
) -> None:
    session = Scripted()
    session.content = content
    with pytest.raises(TokenMissingError) as refusal:
        await source_of(session).read()
    assert str(refusal.value) == f"{NAMED}: {problem}"
    assert refusal.value.__cause__ is None


async def test_missing_credentials_are_told_as_such() -> None:
    session = Scripted()
    session.problem = TokenMissingError("env VAULT_TOKEN: the variable is not set")
    with pytest.raises(TokenMissingError, match=f"^{NAMED}: env VAULT_TOKEN: the variable is not set$"):
        await source_of(session).read()
