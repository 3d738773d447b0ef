"""Requests that were made to be read in two ways: what becomes of each class, and that the platform sees none
of them but as the call that was meant."""

import sys
from collections.abc import Iterator

import pytest

from gateway.catalogue.model import Catalogue
from gateway.sandbox.sandbox import Sandbox
from tests.e2e.attacks import CLASSES, Attack
from tests.e2e.caller import PATIENCE, Caller
from tests.e2e.conftest import ENVIRON, Platform, settings_for
from tests.e2e.inthread import RunningGateway, running_gateway


@pytest.fixture(scope="module")
def _gateway(shared_platform: Platform, catalogue: Catalogue) -> Iterator[RunningGateway]:
    limits = {"head_timeout": "200ms", "body_timeout": "200ms"}
    with running_gateway(
        settings_for(shared_platform.base_url, limits=limits), ENVIRON, catalogue
    ) as gateway:
        yield gateway


@pytest.fixture
def caller(platform: Platform, _gateway: RunningGateway) -> Iterator[Caller]:
    yield _gateway.caller
    _gateway.assert_idle()


def statuses(caller: Caller, attack: Attack) -> tuple[int, ...]:
    """Of all answers until the connection is closed."""
    with caller.connected() as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(attack.raw)
        said = b""
        while piece := connection.recv(65536):
            said += piece
    found = []
    while said:
        start, _, rest = said.partition(b"\r\n\r\n")
        line, *fields = start.lower().split(b"\r\n")
        found.append(int(line.split()[1]))
        length = next(
            int(field.partition(b":")[2]) for field in fields if field.startswith(b"content-length:")
        )
        said = rest[length:]
    return tuple(found)


@pytest.mark.parametrize("name", CLASSES)
def test_what_can_be_read_in_two_ways_is_refused_and_never_sent_on(
    caller: Caller, sandbox: Sandbox, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    attacks = CLASSES[name]
    surprises = []
    for attack in attacks:
        sandbox.reset()
        said = statuses(caller, attack)
        seen = [(call.api_method, call.params.get("id")) for call in sandbox.calls]
        meant = [("databases/get", 1)] if 200 in attack.statuses else []
        if (said, seen) != (attack.statuses, meant):
            surprises.append(f"{attack!r}: answered {said}, expected {attack.statuses}; forwarded {seen}")
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {len(attacks)} requests tried")
    assert not surprises, "\n".join(surprises)
    assert caller.json("databases/get", id=1).error == 0
