"""The floor for a Python server: uvicorn on httptools and uvloop, the body read, a constant answer, nothing
sent on and nothing logged."""

from starlette.types import Receive, Scope, Send

from bench.cases import CACHED_READ, JSON_WRITE, ONE_CALLER, REPLY, XML_WRITE
from bench.peer import Peer, Place
from bench.process import python

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(REPLY))]


async def app(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": REPLY})


def _command(place: Place) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--no-access-log"]
    return python("uvicorn", f"{__name__}:app", "--port", str(place.port), *options)


PEER = Peer(
    "uvicorn alone",
    "reads the body and answers a constant; sends nothing on: the floor for Python",
    _command,
    (JSON_WRITE, ONE_CALLER, XML_WRITE, CACHED_READ),
)
