"""Whose turn it is when a call does not go well.

Each code of the platform and each of the gateway's own reasons belongs to exactly one of four: who calls, who
runs the account (its token, rights and tariff), the platform, the gateway.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gateway.catalogue.model import OTHER

Turn = Literal["caller", "account", "platform", "gateway"]

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "400": "400 incorrect request",
        "401": "401 token",
        "402": "402 tariff limit",
        "403": "403 no rights",
        "404": "404 not found",
        "409": "409 exists already",
        "413": "413 database not in resource",
        "415": "415 content type",
        "435": "435 ambiguous search",
        "441": "441 of another group",
        "450": "450 invalid value",
        "500": "500 internal error",
        "501": "501 no such method",
        "502": "502 no usable answer",
        "503": "503 not now",
        "504": "504 out of time",
        OTHER: "no known code",
    }
)
"""What the codes mean, in few words. 502 to 504 are the gateway's own."""

ACCOUNT_CODES = ("401", "402", "403", "441")
PLATFORM_CODES = ("500", OTHER)
CALLER_CODES = ("400", "404", "409", "413", "415", "435", "450", "501")

ACCOUNT_ERRORS = ("token-missing",)
PLATFORM_ERRORS = (
    "answer-gone",
    "breaker-open",
    "connect-timeout",
    "outcome-unknown",
    "upstream-protocol",
    "upstream-reset",
    "upstream-timeout",
    "upstream-tls",
    "upstream-unreachable",
)
GATEWAY_ERRORS = ("internal", "overloaded", "stopped", "store-away")
CALLER_ERRORS = (
    "bad-request",
    "body-timeout",
    "body-too-large",
    "caller-gone",
    "head-timeout",
    "head-too-large",
    "host-refused",
    "http-method-refused",
    "key-reused",
    "method-denied",
    "not-cached",
    "not-found",
    "origin-refused",
    "peer-refused",
    "unknown-method",
    "unsupported-type",
)

PACED = "upstream.rate"
"""In the place of `overloaded` where the configured pace refused the call: that is no fault of anybody's, and
the turn of who asks for more."""

_TURNS: Mapping[str, Turn] = MappingProxyType(
    {
        **dict.fromkeys((*CALLER_CODES, *CALLER_ERRORS, PACED), "caller"),
        **dict.fromkeys((*ACCOUNT_CODES, *ACCOUNT_ERRORS), "account"),
        **dict.fromkeys((*PLATFORM_CODES, *PLATFORM_ERRORS), "platform"),
        **dict.fromkeys(GATEWAY_ERRORS, "gateway"),
    }
)


def own_reason(error: str, text: str) -> str:
    """The gateway's own reason, with PACED told from a gateway that is full: both refuse by one name, and
    `text`, which the caller was told, says which it was."""
    return PACED if error == "overloaded" and PACED in text else error


def turn(reason: str) -> Turn:
    """Whose turn it is. `reason` is a value of the label `code` of an answer of the platform that is not 0,
    or the name of an own error, or PACED."""
    return _TURNS.get(reason, "platform")
