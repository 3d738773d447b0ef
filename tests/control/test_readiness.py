"""gateway.control.readiness: whether the gateway should get calls."""

from gateway.control.readiness import checks
from gateway.tokens.keeper import TokenState


def state(epoch: int, problem: str = "") -> TokenState:
    return TokenState("default", "default", "file /run/token", epoch, None, problem)


def passed(*, draining: bool, token: TokenState) -> bool:
    return all(check.passed for check in checks(draining=draining, tokens=[token]) if check.required)


def test_with_a_token_and_not_draining_it_is_ready() -> None:
    assert passed(draining=False, token=state(1))


def test_while_draining_it_is_not() -> None:
    assert not passed(draining=True, token=state(1))


def test_without_a_token_it_is_not_and_says_which_and_why() -> None:
    missing = state(0, "file /run/token: there is no token")
    assert not passed(draining=False, token=missing)
    (check,) = [check for check in checks(draining=False, tokens=[missing]) if not check.passed]
    assert check.name == "token default/default"
    assert check.detail == "file /run/token: there is no token"


def test_a_source_that_broke_later_leaves_it_ready_and_is_told() -> None:
    broken = state(2, "file /run/token: there is no token")
    assert passed(draining=False, token=broken)
    told = checks(draining=False, tokens=[broken])[-1]
    assert (told.passed, told.required) == (False, False)
    assert told.detail == "the one that was read before is used: file /run/token: there is no token"
