"""Whether the gateway should get calls. It looks at itself only: a platform that is down is no reason to say
no, since then every replica would say so at once and callers would get nothing, not even a clear error."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.tokens.keeper import TokenState


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `/readyz?verbose`. Only `required` ones decide."""

    name: str
    passed: bool
    detail: str
    required: bool = True


def checks(
    *, draining: bool, tokens: Iterable[TokenState], beside: Iterable[Check] = ()
) -> tuple[Check, ...]:
    """What readiness is made of; that there is a configuration is shown by there being an answer. `beside` is
    what else there is to know."""
    return (
        Check("configuration", True, "loaded"),
        Check("draining", not draining, "stopping: takes no new callers" if draining else "no"),
        *(_token_check(state) for state in tokens),
        *beside,
    )


def _token_check(state: TokenState) -> Check:
    name = f"token {state.account}/{state.name}"
    if state.epoch > 0 and state.problem:
        return Check(name, False, f"the one that was read before is used: {state.problem}", required=False)
    return Check(name, state.epoch > 0, state.problem or f"from {state.source}")
