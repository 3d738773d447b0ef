"""From a request to what a handler takes.

What is wrong is refused in this order: content type, body, token, method, role, format.
"""

from dataclasses import dataclass

from gateway.sandbox import jsonform, xmlform
from gateway.sandbox.calls import Incoming
from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.methods import METHODS, Method
from gateway.sandbox.replies import CSV, JSON, XML
from gateway.sandbox.tokens import Token, TokenBook
from gateway.sandbox.values import Fields

_JSON, _XML = "application/json", "application/xml"
_DECODERS = {_JSON: jsonform.decode, _XML: xmlform.decode}


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may run. `params` are without token and format, `token_places` in order of precedence."""

    method: Method
    params: Fields
    token: Token
    token_places: tuple[str, ...]
    format: str


def decoded(incoming: Incoming, *, takes_xml: bool = True) -> Fields:
    """The parameters in the body. Raises 415 for another content type or charset, 400 for a broken body."""
    media_type, _, parameters = (incoming.header("content-type") or "").partition(";")
    media_type = media_type.strip().lower()
    decode = _DECODERS.get(media_type) if takes_xml or media_type != _XML else None
    charset = parameters.strip().lower().replace('"', "")
    if decode is None or charset not in ("", "charset=utf-8") or incoming.header("content-encoding"):
        raise ApiError(Code.CONTENT_TYPE)
    return decode(incoming.body)


def admit(incoming: Incoming, fields: Fields, tokens: TokenBook) -> Request:
    """Who calls, and whether the call may run. Raises 401, 501, 403, or 400 for an unknown format."""
    token, places = _token(incoming, fields, tokens)
    method = METHODS.get(incoming.api_method)
    if method is None:
        raise ApiError(Code.NO_METHOD, incoming.api_method)
    if method.right not in token.rights:
        raise ApiError(Code.NO_RIGHTS)
    wanted = reply_format(incoming, fields, has_csv=method.has_csv)
    params = {name: value for name, value in fields.items() if name not in ("token", "format")}
    return Request(method, params, token, places, wanted)


def reply_format(incoming: Incoming, fields: Fields, *, has_csv: bool) -> str:
    """The address counts before the body, and JSON is the default."""
    wanted = dict(incoming.query).get("format") or fields.get("format") or JSON
    if wanted not in (JSON, XML) and not (has_csv and wanted == CSV):
        raise ApiError(Code.INCORRECT_REQUEST, f"there is no format {wanted!r} here")
    return str(wanted)


def _token(incoming: Incoming, fields: Fields, tokens: TokenBook) -> tuple[Token, tuple[str, ...]]:
    """Of several tokens the body's counts, then the header's, then the address's: no page says."""
    scheme, _, bearer = (incoming.header("authorization") or "").partition(" ")
    sent = {
        "body": fields.get("token"),
        "header": bearer.strip() if scheme.lower() == "bearer" else None,
        "query": dict(incoming.query).get("token"),
    }
    places = tuple(place for place, value in sent.items() if value)
    token = tokens.find(str(sent[places[0]])) if places else None
    if token is None:
        raise ApiError(Code.TOKEN_REQUIRED)
    return token, places


def bearer_token(incoming: Incoming, tokens: TokenBook) -> Token | None:
    """The token of a download: only the Authorization header counts there."""
    scheme, _, value = (incoming.header("authorization") or "").partition(" ")
    return tokens.find(value.strip()) if scheme.lower() == "bearer" else None
