"""Who may have the gateway do something: only who is on the same machine.

The listener has no passwords. Reading how it is may be for the whole network that it was opened to; emptying
its cache or taking another configuration is not. Whoever reaches a Unix socket is on this machine.
"""

from ipaddress import IPv6Address, ip_address

from gateway import errors


def require_local(peer: str | None) -> None:
    """`peer` is the address at the other end, None for a Unix socket. Raises CallError (403)."""
    if peer is not None and not _is_loopback(peer):
        raise errors.CallError(errors.PEER_REFUSED, "this is only for callers on the gateway's own machine")


def _is_loopback(peer: str) -> bool:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # how a socket for both families shows callers by IPv4
    return address.is_loopback
