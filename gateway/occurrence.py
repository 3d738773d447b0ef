"""What happens beside the calls, under stable names: the field `event` of a log line, and others beside it.

    log.warning("the breaker of %s is open", account, extra=event("breaker_changed", account=account))

A sentence is for people and may change; the names here are promised (docs/reference/log.md). Refuses to log:
who notices that something happened says it.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Event = Literal[
    "started",
    "stopping",
    "stopped",
    "reloaded",
    "reload_refused",
    "token_replaced",
    "token_unreadable",
    "token_readable",
    "breaker_changed",
    "store_failed",
    "store_recovered",
    "tracing_failed",
    "tracing_recovered",
]

_ATTRIBUTE = "occurrence"
_NOTHING: Mapping[str, object] = MappingProxyType({})


def event(name: Event, **fields: object) -> dict[str, object]:
    """For `extra=` of a logging call."""
    return {_ATTRIBUTE: {"event": name, **fields}}


def of(record: logging.LogRecord) -> Mapping[str, object]:
    """What `event` gave to the record; empty for all that is only a sentence."""
    found: Mapping[str, object] = getattr(record, _ATTRIBUTE, _NOTHING)
    return found
