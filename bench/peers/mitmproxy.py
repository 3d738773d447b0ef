"""mitmproxy as a reverse proxy with an add-on, what people reach for to change bodies in Python."""

from bench.cases import JSON_WRITE
from bench.peer import CONFIGS, Peer, Place
from bench.process import executable, tool


def _command(place: Place) -> list[str]:
    options = ["--mode", f"reverse:{place.upstream.address}", "--listen-host", "127.0.0.1"]
    options += ["--listen-port", str(place.port), "--set", f"confdir={place.folder}", "--set", "http2=false"]
    return [tool("mitmdump"), "--quiet", *options, "--scripts", str(CONFIGS / "mitmproxy_addon.py")]


PEER = Peer(
    "mitmproxy",
    "an add-on puts the token into the decoded body; no log",
    _command,
    (JSON_WRITE,),
    lambda: None if executable("mitmdump") else "mitmproxy is not installed (Debian: mitmproxy)",
)
