"""Who is measured, a line each. The first one is who the others are compared with."""

from bench.peers import envoy_lua, gateway, handmade, nginx_lua, uvicorn_alone

PEERS = (
    gateway.PEER,
    gateway.ON_HTTPX,
    uvicorn_alone.PEER,
    handmade.PEER,
    nginx_lua.PEER,
    envoy_lua.PEER,
)
