"""nginx with Lua: what an operator would build from Debian's packages."""

from bench import nginx
from bench.cases import JSON_WRITE
from bench.peer import Peer, Place


def _command(place: Place) -> list[str]:
    return nginx.command(place.write("nginx.conf"))


PEER = Peer(
    "nginx + Lua",
    "cjson puts the token in; one log line per call",
    _command,
    (JSON_WRITE,),
    nginx.missing_lua,
)
