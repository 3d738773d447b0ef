"""gateway.control.peers: actions are for callers on the same machine."""

import pytest

from gateway.control.peers import require_local
from gateway.errors import PEER_REFUSED, CallError


@pytest.mark.parametrize("peer", [None, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_a_caller_on_this_machine_may(peer: str | None) -> None:
    require_local(peer)


@pytest.mark.parametrize(
    "peer", ["10.0.0.7", "192.168.1.2", "::ffff:10.0.0.7", "fe80::1%eth0", "2001:db8::1", "localhost", ""]
)
def test_a_caller_from_elsewhere_may_not(peer: str) -> None:
    with pytest.raises(CallError) as refused:
        require_local(peer)
    assert refused.value.kind is PEER_REFUSED
