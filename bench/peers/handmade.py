"""What people write: Starlette in front, httpx behind, the token put in between. No metrics, no log."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.cases import JSON_WRITE
from bench.peer import Peer, Place
from bench.process import python


async def forward(request: Request) -> Response:
    call = await request.json()
    call["token"] = os.environ["PLATFORM_TOKEN"]
    reply = await request.state["client"].post(request.url.path, json=call)
    return Response(reply.content, reply.status_code, media_type=reply.headers["content-type"])


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    # Not the default of 20 kept connections: with more callers than that it would connect anew all the time.
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM"], limits=limits) as client:
        yield {"client": client}


def app() -> Starlette:
    return Starlette(routes=[Route("/api/{path:path}", forward, methods=["POST"])], lifespan=lifespan)


def _command(place: Place) -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return python("uvicorn", "--factory", f"{__name__}:app", "--port", str(place.port), *options)


PEER = Peer(
    "Starlette + httpx by hand",
    "what people write: decode, put the token in, post, answer; no metrics, no log",
    _command,
    (JSON_WRITE,),
)
