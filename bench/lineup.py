"""Who is measured, a line each. The first one is who the others are compared with."""

from bench.peers import (
    envoy_lua,
    gateway,
    handmade,
    litellm,
    mitmproxy,
    nginx_lua,
    straight,
    uvicorn_alone,
)

PEERS = (
    gateway.PEER,
    gateway.OVER_TLS,
    gateway.ON_HTTPX,
    uvicorn_alone.PEER,
    straight.PEER,
    nginx_lua.PEER,
    nginx_lua.OVER_TLS,
    nginx_lua.CACHE,
    envoy_lua.PEER,
    envoy_lua.OVER_TLS,
    handmade.PEER,
    mitmproxy.PEER,
    litellm.PEER,
)
