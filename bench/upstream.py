"""The platform of the bench: one constant reply, without and with TLS.

nginx, where installed, is the one that is measured against, since it costs least. Our own, `python -m
bench.upstream PORT TLS_PORT CERTIFICATE`, stands in for it, and is the one to which peers show first that
they do the work: it answers 401 to any body that is not the whole call, as JSON and with the token.
"""

import asyncio
import json
import re
import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import cast

import httptools
import trustme
import uvloop

from bench import nginx
from bench.cases import EXPECTED, REPLY, TOKEN
from bench.peer import CONFIGS, Upstream
from bench.process import environ, free_port, python, running

Upstreams = Callable[[Path], AbstractContextManager[Upstream]]
"""An upstream, as long as the block runs; what it writes goes into the folder."""

_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_NUMBER = re.compile(rb"\d{6}@")
_REFUSAL = b'{"error":401,"error_text":"not the call that was sent, or no token"}'


@contextmanager
def nginx_upstream(folder: Path) -> Iterator[Upstream]:
    def command(port: int, tls_port: int, certificate: Path) -> list[str]:
        config = (CONFIGS / "upstream.conf").read_text()
        words = {"port": port, "tls_port": tls_port, "certificate": certificate, "folder": folder}
        for word, value in {**words, "reply": REPLY.decode()}.items():
            config = config.replace(f"@{word}@", str(value))
        (folder / "upstream.conf").write_text(config)
        return nginx.command(folder / "upstream.conf")

    with _running(folder, command) as upstream:
        yield upstream


@contextmanager
def own_upstream(folder: Path) -> Iterator[Upstream]:
    def command(port: int, tls_port: int, certificate: Path) -> list[str]:
        return python("bench.upstream", str(port), str(tls_port), str(certificate))

    with _running(folder, command) as upstream:
        yield upstream


@contextmanager
def _running(folder: Path, command: Callable[[int, int, Path], Sequence[str]]) -> Iterator[Upstream]:
    port, tls_port, authority = free_port(), free_port(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem
    certificate.write_to_path(folder / "certificate.pem")
    words = command(port, tls_port, folder / "certificate.pem")
    with running("the upstream", words, port, folder, environ()):
        yield Upstream(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", folder / "authority.pem")


class Platform(asyncio.Protocol):
    """One connection of a gateway."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path, self._authorization = b"", b""
        self._body: list[bytes] = []

    def on_url(self, part: bytes) -> None:
        self._path += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"authorization":
            self._authorization = value

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        if is_expected(self._path.decode(), b"".join(self._body), self._authorization.decode()):
            self._transport.write(_HEAD % (b"200 OK", len(REPLY)) + REPLY)
        else:
            self._transport.write(_HEAD % (b"401 Unauthorized", len(_REFUSAL)) + _REFUSAL)


def is_expected(path: str, body: bytes, authorization: str = "") -> bool:
    """Is this the call of a case, whole, with the token in its body or as a bearer?"""
    try:
        call = json.loads(_NUMBER.sub(b"000000@", body))
    except ValueError:
        return False
    if not isinstance(call, dict) or (expected := EXPECTED.get(path.rstrip("/"))) is None:
        return False
    token = call.pop("token", authorization.removeprefix("Bearer "))
    return token == TOKEN and call == expected


async def serve(port: int, tls_port: int, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    secure = await loop.create_server(Platform, "127.0.0.1", tls_port, ssl=context)
    plain = await loop.create_server(Platform, "127.0.0.1", port)
    await asyncio.gather(secure.serve_forever(), plain.serve_forever())


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
