"""Queries for whose turn it is when a call does not go well (see `observe.blame`)."""

from gateway.observe.blame import (
    ACCOUNT_CODES,
    ACCOUNT_ERRORS,
    CALLER_CODES,
    CALLER_ERRORS,
    GATEWAY_ERRORS,
    MEANINGS,
    PLATFORM_CODES,
    PLATFORM_ERRORS,
)

__all__ = [
    "ACCOUNT_CODES",
    "ACCOUNT_ERRORS",
    "CALLER_CODES",
    "CALLER_ERRORS",
    "FAILED_CODES",
    "FAILED_ERRORS",
    "GATEWAY_ERRORS",
    "MEANINGS",
    "OF_THE_PLATFORM",
    "PLATFORM_CODES",
    "PLATFORM_ERRORS",
    "codes",
    "reasons",
]


def codes(names: tuple[str, ...]) -> str:
    """A matcher for answers of the platform with one of these codes."""
    return f'code=~"{"|".join(names)}"'


def reasons(names: tuple[str, ...]) -> str:
    """A matcher for the gateway's own errors."""
    return f'error=~"{"|".join(names)}"'


OF_THE_PLATFORM = 'origin!="gateway"'
"""A matcher for answers that the platform gave, now or earlier."""

FAILED_ERRORS = (*ACCOUNT_ERRORS, *GATEWAY_ERRORS, *PLATFORM_ERRORS)
"""The own errors that cost the error budget: the caller could not have done better."""

FAILED_CODES = ("401", "500")
"""The codes of the platform that do: its own fault, and a token that is not the caller's to know. Others are
answers."""
