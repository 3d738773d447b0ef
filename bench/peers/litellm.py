"""LiteLLM's pass-through endpoints: a gateway in Python that many run. It cannot change a body; the token
goes into a header. In an environment of its own, made by `make bench-all`: it is large, and pins what we use.
"""

from pathlib import Path

from bench.cases import JSON_WRITE
from bench.peer import Peer, Place

COMMAND = Path(__file__).parents[2] / "build" / "litellm" / "bin" / "litellm"


def _command(place: Place) -> list[str]:
    config = place.write("litellm.yaml", path=JSON_WRITE.path)
    offline = ["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_TELEMETRY=False"]
    options = [
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(place.port),
        "--num_workers",
        "1",
    ]
    return [*offline, str(COMMAND), *options]


PEER = Peer(
    "LiteLLM pass-through",
    "the token in a header; no flight, no cache",
    _command,
    (JSON_WRITE,),
    lambda: None if COMMAND.exists() else "not installed (`make bench-all` installs it)",
)
