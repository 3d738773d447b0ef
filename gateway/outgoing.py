"""How a call is written for the platform: its body with the token in, its head, its URL.

Equal calls are equal on the wire but for their `Request-ID`, and one call is the same bytes on every attempt:
the platform recognises some repeats by a checksum of body and headers. So nothing of the caller's headers
goes out, and nothing that changes from one attempt to the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import msgspec

from gateway.call import Request
from gateway.catalogue.model import ApiMethod
from gateway.codec import jsonbody, querystring, tokenslot, xmlbody
from gateway.codec.negotiation import Format
from gateway.records import TraceContext
from gateway.settings.model import TokenPlacement
from gateway.settings.upstream import Compression
from gateway.tokens.secret import Secret
from gateway.upstream.client import Outgoing
from gateway.upstream.wire import Destination

USER_AGENT = b"platform-gateway"
_JSON = Format.JSON
_BODY, _QUERY, _HEADER = TokenPlacement.BODY, TokenPlacement.QUERY, TokenPlacement.HEADER
_XML = msgspec.Raw(b'"xml"')
_MEDIA_TYPES = {Format.JSON: b"application/json", Format.XML: b"application/xml"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one account's platform wants to be spoken to."""

    base_url: str
    format: Format
    placement: TokenPlacement
    request_id_header: str | None
    compression: Compression = Compression.IDENTITY  # of replies; calls go out as they are


class Writer:
    """Writes the calls of one account."""

    def __init__(self, dialect: Dialect, methods: Iterable[ApiMethod]) -> None:
        parts = urlsplit(dialect.base_url)
        media_type = _MEDIA_TYPES[dialect.format]
        self.format = dialect.format
        self._placement = dialect.placement
        self._base_path = parts.path.rstrip("/")
        self._headers = b"".join(
            (
                b" HTTP/1.1\r\nHost: " + parts.netloc.encode("ascii"),
                b"\r\nContent-Type: " + media_type,
                b"\r\nAccept: " + media_type,
                b"\r\nAccept-Encoding: " + dialect.compression.value.encode("ascii"),
                b"\r\nUser-Agent: " + USER_AGENT + b"\r\n",
            )
        )
        self._request_id_name = (dialect.request_id_header or "").encode("ascii")
        self._base_url = httpx.URL(dialect.base_url)
        # Making a URL costs more than all the rest of this file: those of the known methods are made once.
        self._lines = {method.name: self._line(self._path(method)) for method in methods}

    def write(
        self,
        request: Request,
        token: Secret | None,
        request_id: str,
        document: bytes | None = None,
        trace: TraceContext | None = None,
    ) -> Outgoing:
        """The call as it goes out; `token` None for methods that carry a token of their own kind. `document`
        is its body without the token, where the platform is spoken to in XML and that is written already;
        `trace` is the span of the call that it is sent for.

        Raises MalformedBodyError for a value that the platform's format cannot carry.
        """
        method, query, placement, in_body = request.method, request.query, self._placement, token
        if placement is not _BODY:
            in_body = None
            if token is not None and placement is _QUERY:
                query = querystring.place(query, token.reveal())
        line = None if query else self._lines.get(method.name)
        if line is None:
            path = self._path(method)
            line = self._line(path + b"?" + query if query else path)
        to, head = line
        if token is not None and placement is _HEADER:
            head += b"Authorization: Bearer " + token.reveal().encode("utf-8") + b"\r\n"
        if self._request_id_name and method.effect.modifies:
            head += self._request_id_name + b": " + request_id.encode("ascii") + b"\r\n"
        body = self._body(request, in_body, document)
        return Outgoing(to, head, body, method, request.untouched, trace)

    def plain(self, request: Request) -> bytes:
        """What the call says in JSON, without a token, for a platform that is spoken to in XML."""
        fields = tokenslot.strip(request.fields)
        # The platform answers in JSON unless it is asked, whatever it was asked in.
        return jsonbody.encode(fields if request.untouched else {**fields, "format": _XML})

    def _body(self, request: Request, token: Secret | None, document: bytes | None) -> bytes:
        if self.format is _JSON:
            body = request.body or jsonbody.encode(request.fields)
            return body if token is None else tokenslot.put_first(body, token.reveal())
        if document is None:
            document = xmlbody.of_json(self.plain(request), request.method.parameters)
        return document if token is None else xmlbody.put_first(tokenslot.place({}, token.reveal()), document)

    def _path(self, method: ApiMethod) -> bytes:
        return f"{self._base_path}/{method.path or method.name}".encode("ascii")

    def _line(self, target: bytes) -> tuple[Destination, bytes]:
        """Where a call of this target goes, and what its head begins with."""
        to = Destination.of(self._base_url.copy_with(raw_path=target))
        return to, b"POST " + target + self._headers
