"""nginx with Lua: what an operator would build from Debian's packages."""

from collections.abc import Callable

from bench import nginx
from bench.cases import BATCH, CACHED_READ, IDLE, JSON_WRITE, ONE_CALLER, TLS_WRITE
from bench.peer import Peer, Place


def _lua(scheme: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        tls = scheme == "https"
        words = {"scheme": scheme, "platform_port": "@tls_upstream_port@" if tls else "@upstream_port@"}
        return nginx.command(place.write("nginx.conf", **words))

    return command


def _cache(place: Place) -> list[str]:
    return nginx.command(place.write("nginx_cache.conf"))


PEER = Peer(
    "nginx + Lua",
    "cjson puts the token in; one log line per call",
    _lua("http"),
    (JSON_WRITE, ONE_CALLER, BATCH, IDLE),
    nginx.missing_lua,
)
OVER_TLS = Peer(
    "nginx + Lua over TLS",
    "the same, the platform spoken to by TLS",
    _lua("https"),
    (TLS_WRITE,),
    nginx.missing_lua,
)
CACHE = Peer(
    "nginx + Lua + cache",
    "`proxy_cache_methods POST`, the body as the key; knows nothing of writes",
    _cache,
    (CACHED_READ,),
    nginx.missing_lua,
)
