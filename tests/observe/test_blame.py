"""gateway.observe.blame: every way in which a call can fail is somebody's turn."""

import pytest

from gateway.observe import blame, labels


@pytest.mark.parametrize("reason", [*map(str, labels.PLATFORM_CODES[1:]), "other", *labels.OWN_ERRORS])
def test_every_reason_is_somebodys_turn(reason: str) -> None:
    assert (
        reason
        in {
            "caller": blame.CALLER_CODES + blame.CALLER_ERRORS,
            "account": blame.ACCOUNT_CODES + blame.ACCOUNT_ERRORS,
            "platform": blame.PLATFORM_CODES + blame.PLATFORM_ERRORS,
            "gateway": blame.GATEWAY_ERRORS,
        }[blame.turn(reason)]
    )


def test_what_nobody_knows_is_the_platforms() -> None:
    assert blame.turn("999") == "platform"
