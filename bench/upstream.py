"""The platform of the bench: one constant reply.

nginx, where installed, is the one that is measured against, since it costs least. Our own, `python -m
bench.upstream PORT`, stands in for it, and is the one to which peers show first that they do the work: it
answers 401 to any body that is not the JSON write with the token in.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import httptools
import uvloop

from bench import nginx
from bench.cases import JSON_WRITE, REPLY, TOKEN
from bench.peer import Place
from bench.process import free_port, python, running

_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_REFUSAL = b'{"error":401,"error_text":"not the call that was sent, or no token"}'
_FIELDS = json.loads(JSON_WRITE.body % 0)


@contextmanager
def nginx_upstream(folder: Path) -> Iterator[str]:
    """The address of nginx, as long as the block runs."""
    place = Place(folder, free_port(), "")
    command = nginx.command(place.write("upstream.conf", reply=REPLY.decode()))
    with running("the upstream", command, place.port, folder, place.environ()):
        yield f"http://127.0.0.1:{place.port}"


@contextmanager
def own_upstream(folder: Path) -> Iterator[str]:
    """The address of our own, as long as the block runs."""
    place = Place(folder, free_port(), "")
    command = python("bench.upstream", str(place.port))
    with running("the upstream", command, place.port, folder, place.environ()):
        yield f"http://127.0.0.1:{place.port}"


class Platform(asyncio.Protocol):
    """One connection of a gateway."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body: list[bytes] = []

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        if is_expected(b"".join(self._body)):
            self._transport.write(_HEAD % (b"200 OK", len(REPLY)) + REPLY)
        else:
            self._transport.write(_HEAD % (b"401 Unauthorized", len(_REFUSAL)) + _REFUSAL)


def is_expected(body: bytes) -> bool:
    """Is this the JSON write of some caller, with the token in?"""
    try:
        call = json.loads(body)
    except ValueError:
        return False
    return isinstance(call, dict) and call == {**_FIELDS, "email": call.get("email"), "token": TOKEN}


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Platform, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
