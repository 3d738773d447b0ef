"""The gateway itself, started by its own command; what it logs goes to a file."""

from functools import partial

from bench.cases import JSON_WRITE, XML_WRITE
from bench.peer import Peer, Place
from bench.process import python


def _command(transport: str, place: Place) -> list[str]:
    return python("gateway", "serve", "--config", str(place.write("gateway.yaml", transport=transport)))


PEER = Peer(
    "gateway",
    "this gateway as shipped: flight, metrics, one log line per call",
    partial(_command, "builtin"),
    (JSON_WRITE, XML_WRITE),
)
ON_HTTPX = Peer(
    "gateway on httpx",
    "the same with `upstream.transport: httpx`",
    partial(_command, "httpx"),
    (JSON_WRITE,),
)
