"""What a call means: its head read, its body decoded, any token in it removed, the reply's format settled.

Large bodies are read off the loop (see `offload`), all others here at once. Refuses what the codecs
refuse, as a 400 that says why.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from gateway import errors
from gateway.annex import TooMuchWorkError
from gateway.call import Call, CallHead, Request
from gateway.catalogue.shape import Shape
from gateway.codec import jsonbody, negotiation, querystring, tokenslot, xmlbody
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError
from gateway.codec.fingerprint import CANONICAL_BYTES, fingerprint
from gateway.codec.negotiation import Format
from gateway.headers import ACCEPT, CACHE_CONTROL, CONTENT_TYPE, Headers
from gateway.offload import BusyError, Offload
from gateway.policy.cache_headers import parse_cache_control
from gateway.remembered import Remembered
from gateway.routing import Target

FAMILIAR = 4 * 1024
"""Bodies whose meaning is kept, of the reads that were answered from the cache last."""

SHORT = 4 * 1024
"""Bytes of a body up to which it is looked for among them: beyond, a digest costs as much as reading."""

_JSON = Format.JSON


class _Scope(msgspec.Struct, frozen=True):
    """What a body is read for: the parts of a call's identity that are not in the body, and its types."""

    account: str
    api_method: str
    query: bytes
    shape: Shape


class _Meaning(msgspec.Struct, frozen=True):
    """What a body says, without any token and without the reply's format."""

    fields: Fields
    body: bytes
    wanted: Format | None
    fingerprint: bytes


class Gist(msgspec.Struct, frozen=True, gc=False):
    """What a cache needs to know of a body, and no word of it."""

    fingerprint: bytes
    reply_format: Format
    untouched: bool


@dataclass(frozen=True, slots=True)
class Intake:
    """The rules by which calls are read."""

    limits: BodyLimits
    default_format: Format | None  # None: as the request
    offload: Offload
    _familiar: Remembered[bytes, Gist] = field(default_factory=lambda: Remembered(FAMILIAR))

    def head(
        self, target: Target, query: bytes, headers: Headers, key: str | None, reply_format: Format
    ) -> CallHead:
        """What a head says of its call; `key` is the caller's, `reply_format` as below. Raises CallError: 415
        for a missing or other content type, since a browser page can send those; 400 for a malformed query.
        """
        found = negotiation.body_format(headers.get(CONTENT_TYPE))
        if found is None:
            raise errors.CallError(
                errors.UNSUPPORTED_TYPE,
                "the Content-Type must be application/json or application/xml, in UTF-8",
            )
        try:
            url_format, kept = querystring.take(query)
        except MalformedBodyError as error:
            raise refusal(error) from error
        return CallHead(
            target=target,
            query=kept,
            format=found,
            url_format=url_format,
            reply_format=reply_format,
            untouched=kept != b"" and "format" in querystring.names(kept),
            key=key,
            cache_control=parse_cache_control(headers.get(CACHE_CONTROL)),
            mark=msgspec.json.encode(
                (target.account, target.method.name, kept, found, url_format, reply_format)
            ),
        )

    def reply_format(self, headers: Headers, query: bytes) -> Format:
        """What the caller is answered in, as far as the head says."""
        try:
            wanted, _ = querystring.take(query)
        except MalformedBodyError:  # it is refused where the head is read
            wanted = None
        default = self.default_format or negotiation.body_format(headers.get(CONTENT_TYPE)) or Format.JSON
        return negotiation.reply_format(wanted, None, headers.get(ACCEPT, b""), default)

    def read(self, call: Call) -> Request:
        """Of a body that is cheap to read. Raises CallError: 400 for a malformed body."""
        try:
            meaning = _reader(call)(call.body, self.limits, _scope(call))
        except MalformedBodyError as error:
            raise refusal(error) from error
        return _request(call, meaning)

    async def read_beside(self, call: Call) -> Request:
        """Of any other body. Raises CallError: 400 for a malformed body, and for one that is too much work;
        503 while too many large ones are waiting."""
        try:
            meaning = await self.offload.beside(_reader(call), call.body, self.limits, _scope(call))
        except (MalformedBodyError, TooMuchWorkError) as error:
            raise refusal(error) from error
        return _request(call, meaning)

    def gist(self, call: Call) -> Gist | None:
        """Of a body that was learned, byte for byte."""
        return self._familiar.get(_digest(call)) if len(call.body) <= SHORT else None

    def learn(self, call: Call, request: Request) -> None:
        """Have the gist of a call's body at hand. What is kept is a digest, and not what the caller sent."""
        if len(call.body) <= SHORT:
            gist = Gist(request.fingerprint, request.reply_format, request.untouched)
            self._familiar.put(_digest(call), gist)


def refusal(error: MalformedBodyError | TooMuchWorkError) -> errors.CallError:
    """What a caller is told whose body is refused, or could not be worked on."""
    match error:
        case BusyError():
            return errors.CallError(errors.OVERLOADED, str(error), {"Retry-After": "1"})
        case TooMuchWorkError():
            return errors.CallError(errors.BAD_REQUEST, f"the body cannot be read: {error}")
    return errors.CallError(errors.BAD_REQUEST, str(error))


def _reader(call: Call) -> Callable[[bytes, BodyLimits, _Scope], _Meaning]:
    return _read_json if call.head.format is _JSON else _read_xml


def _scope(call: Call) -> _Scope:
    head = call.head
    method = head.target.method
    return _Scope(head.target.account, method.name, head.query, method.parameters)


def _request(call: Call, meaning: _Meaning) -> Request:
    head = call.head
    wanted = head.url_format or meaning.wanted
    return Request(
        account=head.target.account,
        method=head.target.method,
        fields=meaning.fields,
        body=meaning.body,
        fingerprint=meaning.fingerprint,
        query=head.query,
        format=head.format,
        reply_format=wanted or head.reply_format,
        untouched=head.untouched or "format" in meaning.fields,
        key=head.key,
        cache_control=head.cache_control,
        size=len(call.body),
    )


def _digest(call: Call) -> bytes:
    return hashlib.blake2b(call.head.mark + call.body, digest_size=16).digest()


def _read_json(body: bytes, limits: BodyLimits, scope: _Scope) -> _Meaning:
    return _meaning(jsonbody.decode(body, limits), scope)


def _read_xml(body: bytes, limits: BodyLimits, scope: _Scope) -> _Meaning:
    return _meaning(xmlbody.decode(body, scope.shape, limits), scope)


def _meaning(decoded: Fields, scope: _Scope) -> _Meaning:
    wanted, fields = negotiation.take_format(tokenslot.strip(decoded))
    body = jsonbody.encode(fields)
    digest = fingerprint(scope.account, scope.api_method, scope.query, body, scope.shape)
    # A large one is encoded again when it goes out, so that it is not there twice while it waits.
    return _Meaning(fields, body if len(body) <= CANONICAL_BYTES else b"", wanted, digest)
