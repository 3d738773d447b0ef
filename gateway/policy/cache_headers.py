"""What callers say about the cache, `Cache-Control` (RFC 9111), and what they are told, `Cache-Status` (RFC
9211) and `Age`.

Of the directives of a request only three mean something here; all others are advice that a cache may pass
over (RFC 9111 section 5.2.1). Reading never fails: what is malformed is passed over too.
"""

from collections.abc import Mapping
from math import floor
from types import MappingProxyType

from gateway.policy.freshness import CacheControl, Course, Decision

MODIFYING = b"gateway; fwd=method"
"""`Cache-Status` of a modifying call."""

_FORWARD: Mapping[Course, bytes] = MappingProxyType(
    {
        Course.FORWARD_MISS: b"gateway; fwd=miss",
        Course.FORWARD_STALE: b"gateway; fwd=stale",
        Course.FORWARD_REQUEST: b"gateway; fwd=request",
        Course.BYPASS: b"gateway; fwd=bypass",
    }
)
_HIT: Mapping[Course, bytes] = MappingProxyType(
    {
        Course.FRESH: b"gateway; hit; ttl=%d",
        Course.REVALIDATE: b"gateway; hit; ttl=%d; detail=stale-while-revalidate",
        Course.STALE: b"gateway; hit; ttl=%d; detail=stale-while-revalidate",
        Course.STALE_IF_ERROR: b"gateway; hit; ttl=%d; detail=stale-if-error",
    }
)
_NO_WISH = CacheControl()


def parse_cache_control(value: bytes | None) -> CacheControl:
    """The directives of a request's header; None when it has none. Names in any case, arguments ignored."""
    if value is None:
        return _NO_WISH
    names = {item.partition(b"=")[0].strip().lower() for item in _unquoted(value).split(b",")}
    return CacheControl(b"no-cache" in names, b"no-store" in names, b"only-if-cached" in names)


def cache_status(decision: Decision, *, stored: bool = False, collapsed: bool = False) -> bytes:
    """`Cache-Status` of an answered read. A refused one is an error, see `own_status`.

    `collapsed`: the call joined another one's question to the platform; whether the reply was stored is then
    that other call's to say. A ttl is rounded down, so that what is stale never looks fresh.
    """
    hit = _HIT.get(decision.course)
    if hit is not None:
        return hit % floor(decision.ttl)
    status = _FORWARD[decision.course]
    if collapsed:
        return status + b"; collapsed"
    return status + b"; stored" if stored else status


def own_status(detail: str) -> bytes:
    """`Cache-Status` of the gateway's own answer. `detail` is a token, as the names of errors are."""
    return b"gateway; detail=" + detail.encode("ascii")


def age_header(decision: Decision) -> bytes | None:
    """`Age` of a kept reply in whole seconds, rounded down; None when the reply is the platform's."""
    return b"%d" % max(0, floor(decision.age)) if decision.course in _HIT else None


def _unquoted(value: bytes) -> bytes:
    """The value without what stands in quotes, where commas are text. Linear in time, whatever is sent."""
    if b'"' not in value:
        return value
    plain = value.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(plain.split(b'"')[::2])
