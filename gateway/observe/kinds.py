"""Kinds of calls: those whose records differ in times, ids, sizes and texts only.

A gateway's calls are of few kinds, and most of what is said of a call follows from its kind. So the kind is
looked up once, and whoever reads records keeps with it what he found out for the first one.
"""

from gateway.observe.blame import own_reason
from gateway.records import CallRecord, failed
from gateway.remembered import Remembered

KINDS = 4096
"""How many are kept at hand: a platform may invent codes, and they must not pile up."""


class Kind:
    """One kind, for as long as it is at hand: equal to no other, not even to itself when it comes anew."""

    __slots__ = ("failed", "reason")

    def __init__(self, record: CallRecord, reason: str) -> None:
        self.failed = failed(record.code, record.error, record.status)
        self.reason = reason  # the gateway's own, as `blame.own_reason` tells them apart, or ""


_kinds = Remembered[tuple[object, ...], Kind](KINDS)


def kind_of(record: CallRecord) -> Kind:
    """The kind of a call."""
    reason = record.error and own_reason(record.error, record.error_text)
    values = (
        record.api_method,
        record.account,
        record.caller,
        record.code,
        record.status,
        record.origin,
        record.cache,
        record.flight,
        record.attempts,
        record.duplicate,
        reason,
        record.conversions,
    )
    kind = _kinds.get(values)
    if kind is None:
        kind = Kind(record, reason)
        _kinds.put(values, kind)
    return kind
