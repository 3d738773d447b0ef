"""When a login at Vault is left alone, renewed, and made anew."""

import pytest

from gateway.tokens.secret import Secret
from gateway.tokens.vault.lease import Lease, Step

TOKEN = Secret("token-of-vault")


def lease(seconds: float = 90.0, *, renewable: bool = True) -> Lease:
    return Lease(TOKEN, 1000.0, seconds, renewable)


@pytest.mark.parametrize(
    ("now", "renewable", "step"),
    [
        pytest.param(1000.0, True, Step.NOTHING, id="new"),
        pytest.param(1059.9, True, Step.NOTHING, id="young"),
        pytest.param(1060.0, True, Step.RENEWAL, id="two thirds gone"),
        pytest.param(1060.0, False, Step.LOGIN, id="two thirds gone, not renewable"),
        pytest.param(1090.0, True, Step.LOGIN, id="over"),
    ],
)
def test_what_a_lease_needs(now: float, renewable: bool, step: Step) -> None:
    assert lease(renewable=renewable).step(now) is step


def test_a_lease_without_end_needs_nothing_ever() -> None:
    endless = lease(0.0)

    assert endless.step(1e12) is Step.NOTHING
    assert endless.step_at == float("inf")


def test_a_renewal_keeps_the_token_and_begins_anew() -> None:
    renewed = lease().renewed(Lease(Secret("what-vault-said"), 1060.0, 90.0, renewable=True))

    assert renewed.token == TOKEN
    assert (renewed.step_at, renewed.step(1119.0), renewed.step(1120.0)) == (
        1120.0,
        Step.NOTHING,
        Step.RENEWAL,
    )


def test_renewals_that_give_less_and_less_end_in_a_login() -> None:
    """Vault's limit for a token's whole life is near: renewals would follow one another ever faster."""
    first = lease().renewed(Lease(TOKEN, 1060.0, 50.0, renewable=True))
    second = first.renewed(Lease(TOKEN, 1094.0, 16.0, renewable=True))

    assert first.step(first.step_at) is Step.RENEWAL
    assert second.step(second.step_at) is Step.LOGIN
