"""An application that calls the gateway, over a socket of its own.

It writes its requests itself, so that it can also send what no HTTP library would; the standard library reads
the answers. Refuses to know anything of the gateway: what it reads is what any caller could.
"""

import http.client
import json
import socket
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

JSON, XML = "application/json", "application/xml"
PATIENCE = 20.0  # seconds until a test gives up waiting for an answer

Header = tuple[str, str]


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: tuple[Header, ...]  # names in lower case
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of the only header of that name."""
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        assert (self.header("content-type") or "").startswith(JSON), self
        return json.loads(self.body)

    def xml(self) -> ET.Element:
        assert (self.header("content-type") or "").startswith(XML), self
        return ET.fromstring(self.body)

    @property
    def error(self) -> int:
        """The platform's code, in whichever of the two formats it came."""
        if self.is_xml:
            return int(self.xml().findtext("error", "no <error>"))
        code = self.json()["error"]
        assert type(code) is int
        return code

    @property
    def error_text(self) -> str:
        text = self.xml().findtext("error_text") if self.is_xml else self.json()["error_text"]
        assert isinstance(text, str), self
        return text

    @property
    def is_xml(self) -> bool:
        return (self.header("content-type") or "").startswith(XML)


@dataclass(frozen=True)
class Caller:
    """`address` is `http://HOST:PORT` or `unix:PATH`, as the gateway announces it."""

    address: str
    base_path: str = field(default="/api/v1.1/", kw_only=True)

    @property
    def authority(self) -> str:
        return urlsplit(self.address).netloc or "localhost"

    def json(self, api_method: str, *headers: Header, **params: object) -> Reply:
        return self.call(api_method, json.dumps(params), *headers)

    def call(self, api_method: str, body: str | bytes, *headers: Header, content_type: str = JSON) -> Reply:
        """A call as an application makes it; `api_method` may carry a query."""
        return self.send("POST", self.base_path + api_method, body, ("Content-Type", content_type), *headers)

    def xml(self, api_method: str, body: str, *headers: Header) -> Reply:
        """A call in XML that wants its answer in XML."""
        return self.call(api_method, body, ("Accept", XML), *headers, content_type=XML)

    def get(self, target: str, *headers: Header) -> Reply:
        return self.send("GET", target, b"", *headers)

    def send(
        self,
        http_method: str,
        target: str,
        body: str | bytes,
        *headers: Header,
        hosts: Iterable[str] | None = None,
    ) -> Reply:
        """Any request. `hosts` are its Host headers: the address, if not told otherwise."""
        content = body.encode() if isinstance(body, str) else body
        lines = [
            *(("Host", host) for host in ([self.authority] if hosts is None else hosts)),
            *headers,
            ("Content-Length", str(len(content))),
        ]
        head = f"{http_method} {target} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines
        )
        return self.exchange(head.encode("latin-1") + b"\r\n" + content, http_method)

    def exchange(self, request: bytes, http_method: str = "POST") -> Reply:
        """The answer to these bytes."""
        with self.connected() as connection:
            connection.sendall(request)
            return read_reply(connection, http_method)

    def connected(self) -> socket.socket:
        if self.address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(self.address.removeprefix("unix:"))
            return connection
        parts = urlsplit(self.address)
        return socket.create_connection((parts.hostname, parts.port), PATIENCE)


def read_reply(connection: socket.socket, http_method: str = "POST") -> Reply:
    """One whole answer from a connection. Raises what http.client does when it is cut short."""
    response = http.client.HTTPResponse(connection, method=http_method)
    try:
        response.begin()
        body = response.read()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Reply(response.status, headers, body)
    finally:
        response.close()
