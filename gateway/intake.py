"""What a call means: its body decoded, any token in it removed, the reply's format settled.

Large bodies are read off the loop (see `offload`), all others here at once. Refuses what the codecs
refuse, as a 400 that says why.
"""

from dataclasses import dataclass

import msgspec

from gateway import errors
from gateway.annex import TooMuchWorkError
from gateway.call import Call, Request
from gateway.catalogue.shape import Shape
from gateway.codec import jsonbody, negotiation, querystring, tokenslot, xmlbody
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError
from gateway.codec.fingerprint import fingerprint
from gateway.codec.negotiation import Format
from gateway.headers import ACCEPT, CACHE_CONTROL, CONTENT_TYPE, Headers
from gateway.offload import BusyError, Offload, is_cheap
from gateway.policy.cache_headers import parse_cache_control


class _Scope(msgspec.Struct, frozen=True):
    """What a body is read for: the parts of a call's identity that are not in the body, and its types."""

    account: str
    api_method: str
    query: bytes
    shape: Shape


class _Meaning(msgspec.Struct, frozen=True):
    """What a body says, without any token and without the reply's format."""

    fields: Fields
    wanted: Format | None
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Intake:
    """The rules by which calls are read."""

    limits: BodyLimits
    default_format: Format | None  # None: as the request
    offload: Offload

    def body_format(self, headers: Headers) -> Format:
        """Raises CallError (415) for a missing or other content type: a browser page can send those."""
        found = negotiation.body_format(headers.get(CONTENT_TYPE))
        if found is None:
            raise errors.CallError(
                errors.UNSUPPORTED_TYPE,
                "the Content-Type must be application/json or application/xml, in UTF-8",
            )
        return found

    def reply_format(self, headers: Headers, query: bytes, body: Format | None = None) -> Format:
        """What the caller is answered in, as far as it is known; `body` is what the body itself asks for."""
        try:
            wanted, _ = querystring.take(query)
        except MalformedBodyError:  # it is refused where the call is read
            wanted = None
        default = self.default_format or negotiation.body_format(headers.get(CONTENT_TYPE)) or Format.JSON
        return negotiation.reply_format(wanted, body, headers.get(ACCEPT, b""), default)

    async def read(
        self, call: Call, body_format: Format, key: str | None, asked: Format | None = None
    ) -> Request:
        """`asked` is what the head asks for, where that is known. Raises CallError: 400 for a malformed body,
        and for one that is too much work; 503 while too many large ones are waiting."""
        method = call.target.method
        read = _read_json if body_format is Format.JSON else _read_xml
        try:
            _, query = querystring.take(call.query)
            scope = _Scope(call.target.account, method.name, query, method.parameters)
            if is_cheap(call.body):
                meaning = read(call.body, self.limits, scope)
            else:
                meaning = await self.offload.beside(read, call.body, self.limits, scope)
        except (MalformedBodyError, TooMuchWorkError) as error:
            raise refusal(error) from error
        return Request(
            account=call.target.account,
            method=method,
            fields=meaning.fields,
            fingerprint=meaning.fingerprint,
            query=query,
            format=body_format,
            reply_format=asked
            if asked is not None and meaning.wanted is None
            else self.reply_format(call.headers, call.query, meaning.wanted),
            untouched="format" in meaning.fields or (query != b"" and "format" in querystring.names(query)),
            key=key,
            cache_control=parse_cache_control(call.headers.get(CACHE_CONTROL)),
            size=len(call.body),
        )


def refusal(error: MalformedBodyError | TooMuchWorkError) -> errors.CallError:
    """What a caller is told whose body is refused, or could not be worked on."""
    match error:
        case BusyError():
            return errors.CallError(errors.OVERLOADED, str(error), {"Retry-After": "1"})
        case TooMuchWorkError():
            return errors.CallError(errors.BAD_REQUEST, f"the body cannot be read: {error}")
    return errors.CallError(errors.BAD_REQUEST, str(error))


def _read_json(body: bytes, limits: BodyLimits, scope: _Scope) -> _Meaning:
    return _meaning(jsonbody.decode(body, limits), scope)


def _read_xml(body: bytes, limits: BodyLimits, scope: _Scope) -> _Meaning:
    return _meaning(xmlbody.decode(body, scope.shape, limits), scope)


def _meaning(decoded: Fields, scope: _Scope) -> _Meaning:
    wanted, fields = negotiation.take_format(tokenslot.strip(decoded))
    identity = fingerprint(scope.account, scope.api_method, scope.query, fields, scope.shape)
    return _Meaning(fields, wanted, identity)
