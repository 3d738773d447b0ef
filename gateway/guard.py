"""Who may speak to an unauthenticated listener. Refuses browsers and names that it was not told.

A page in a browser can reach loopback: with a form or a typeless Blob it needs no preflight, and after DNS
rebinding it may even read the answer. What gives it away is the `Origin` or `Sec-Fetch-Site` header, and
after rebinding only the `Host`. So every path checks all three, before anything else is looked at.
"""

from collections.abc import Collection
from functools import lru_cache

from gateway import errors
from gateway.headers import HOST, ORIGIN, SEC_FETCH_SITE, Headers

_HARMLESS_SITES = frozenset((b"none", b"same-origin"))


def check(headers: Headers, local_address: str | None, allowed_hosts: Collection[str]) -> None:
    """Raise the 403 of a request that may not be answered, or the 400 of one that names no host (RFC 9112
    section 3.2).

    `local_address` is the address literal that the connection came in on (None for a Unix socket): a probe or
    a scrape by address is welcome, since no foreign name can be bound to it. `allowed_hosts` are lower-case
    names.
    """
    if ORIGIN in headers:
        raise errors.CallError(errors.ORIGIN_REFUSED, "requests of a browser page are refused (Origin)")
    site = headers.get(SEC_FETCH_SITE)
    if site is not None and site not in _HARMLESS_SITES:
        raise errors.CallError(
            errors.ORIGIN_REFUSED, "requests of a browser page are refused (Sec-Fetch-Site)"
        )
    named = headers.get(HOST)
    if named is None:
        raise errors.CallError(errors.BAD_REQUEST, "the Host header is missing")
    host = host_name(named)
    if host not in allowed_hosts and (not host or host != local_address):
        raise errors.CallError(
            errors.HOST_REFUSED,
            "this host name is not allowed here; add it to allowed_hosts in the configuration",
        )


@lru_cache(256)  # callers write few spellings, each many times; a head is bounded, so each is short
def host_name(value: bytes) -> str:
    """The name or address of a Host header, lower-case, without port and brackets; "" when it is none."""
    text = value.decode("latin-1").lower()
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        return name if bracket and (not port or _is_port(port)) else ""
    name, colon, port = text.partition(":")
    return name if not colon or _is_port(colon + port) else ""


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return text.startswith(":") and (not digits or (digits.isascii() and digits.isdigit()))
