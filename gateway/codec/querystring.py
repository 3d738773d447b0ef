"""The URL's parameters: what is kept goes on byte for byte and in order.

They are never decoded and written again, since adding one, however spelt, is the platform's documented way to
tell two equal calls apart.
"""

from urllib.parse import quote_from_bytes, unquote_to_bytes

from gateway.codec.body import MalformedBodyError
from gateway.codec.negotiation import Format

MAX_PARAMETERS = 1_000
MAX_NAME = 300
"""Bytes of a parameter's name as it is sent. Both bound the time it takes to look for a token: in a head full
of `&` it would take 50 ms."""

_FORMATS = {b"format=json": Format.JSON, b"format=xml": Format.XML}


def take(query: bytes) -> tuple[Format | None, bytes]:
    """The reply format that the URL asks for, and the query without it and without any token.

    `format=csv` and the like stay: they are the platform's to answer. Of several formats the last counts.
    MalformedBodyError for more parameters, or longer names, than a call may have.
    """
    if not query:
        return None, b""
    _require_few(query)
    wanted: Format | None = None
    kept = []
    for segment in query.split(b"&"):
        for left in _without_token(segment):
            named = _FORMATS.get(left) or (_FORMATS.get(_decoded(left)) if len(left) < MAX_NAME else None)
            if named is not None:
                wanted = named
            else:
                kept.append(left)
    return wanted, b"&".join(kept)


def _require_few(query: bytes) -> None:
    if query.count(b"&") + query.count(b";") >= MAX_PARAMETERS:
        raise MalformedBodyError(f"the URL has more than {MAX_PARAMETERS} parameters")
    if len(query) <= MAX_NAME:
        return
    if any(len(piece.partition(b"=")[0]) > MAX_NAME for piece in query.replace(b";", b"&").split(b"&")):
        raise MalformedBodyError(f"a parameter of the URL has a name of more than {MAX_NAME} bytes")


def names(query: bytes) -> frozenset[str]:
    """The names of all parameters, decoded."""
    pieces = query.replace(b";", b"&").split(b"&")
    return frozenset(_decoded(piece.partition(b"=")[0]).decode(errors="replace") for piece in pieces)


def place(query: bytes, token: str) -> bytes:
    """The query with our token behind what is there."""
    placed = b"token=" + quote_from_bytes(token.encode(), safe="").encode()
    return query + b"&" + placed if query else placed


def _without_token(segment: bytes) -> list[bytes]:
    """The segment, or nothing. Some servers also split at `;`: there only the token's own part goes."""
    if b";" not in segment:
        return [] if _names_token(segment) else [segment]
    parts = [part for part in segment.split(b";") if not _names_token(part)]
    return [b";".join(parts)] if parts else []


def _names_token(part: bytes) -> bool:
    name = _decoded(part.partition(b"=")[0])
    # Blanks and NUL around a name are dropped by some servers.
    return name.decode(errors="replace").strip(" \t\r\n\0").casefold() == "token"


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
