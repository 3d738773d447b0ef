"""The gateway itself, started by its own command; what it logs goes to a file."""

from collections.abc import Callable

from bench.cases import (
    BATCH,
    CACHED_READ,
    COALESCED_READ,
    IDLE,
    JOINED_WRITE,
    JSON_WRITE,
    ONE_CALLER,
    TLS_WRITE,
    XML_WRITE,
)
from bench.peer import Peer, Place
from bench.process import python


def _serve(transport: str = "builtin", *, tls: bool = False) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        platform = place.upstream.tls_address if tls else place.upstream.address
        config = place.write("gateway.yaml", transport=transport, platform=platform)
        return python("gateway", "serve", "--config", str(config))

    return command


PEER = Peer(
    "gateway",
    "this gateway as shipped: flight, metrics, one log line per call",
    _serve(),
    (JSON_WRITE, ONE_CALLER, XML_WRITE, CACHED_READ, COALESCED_READ, JOINED_WRITE, BATCH, IDLE),
)
OVER_TLS = Peer("gateway over TLS", "the same, the platform spoken to by TLS", _serve(tls=True), (TLS_WRITE,))
ON_HTTPX = Peer(
    "gateway on httpx", "the same with `upstream.transport: httpx`", _serve("httpx"), (JSON_WRITE,)
)
