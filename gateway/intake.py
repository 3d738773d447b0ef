"""What a call means: its body decoded, any token in it removed, the reply's format settled.

Large bodies are decoded off the loop (see `offload`), all others here at once. Refuses what the codecs
refuse, as a 400 that says why.
"""

from dataclasses import dataclass

from gateway import errors
from gateway.call import Call, Request
from gateway.catalogue.shape import Shape
from gateway.codec import jsonbody, negotiation, querystring, tokenslot, xmlbody
from gateway.codec.body import BodyLimits, Fields, MalformedBodyError
from gateway.codec.negotiation import Format
from gateway.headers import ACCEPT, CACHE_CONTROL, CONTENT_TYPE, Headers
from gateway.offload import Offload
from gateway.policy.cache_headers import parse_cache_control


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
        wanted, _ = querystring.take(query)
        default = self.default_format or negotiation.body_format(headers.get(CONTENT_TYPE)) or Format.JSON
        return negotiation.reply_format(wanted, body, headers.get(ACCEPT, b""), default)

    async def read(self, call: Call, body_format: Format, key: str | None) -> Request:
        """Raises CallError (400) for a malformed body."""
        method = call.target.method
        try:
            if body_format is Format.JSON:
                fields = await self.offload.json(len(call.body), _decode_json, call.body, self.limits)
            else:
                fields = await self.offload.xml(
                    len(call.body), _decode_xml, call.body, method.parameters, self.limits
                )
        except MalformedBodyError as error:
            raise errors.CallError(errors.BAD_REQUEST, str(error)) from error
        wanted, fields = negotiation.take_format(fields)
        _, query = querystring.take(call.query)
        return Request(
            account=call.target.account,
            method=method,
            fields=fields,
            query=query,
            format=body_format,
            reply_format=self.reply_format(call.headers, call.query, wanted),
            untouched="format" in fields or _names_format(query),
            key=key,
            cache_control=parse_cache_control(call.headers.get(CACHE_CONTROL)),
            size=len(call.body),
        )


def _decode_json(body: bytes, limits: BodyLimits) -> Fields:
    return tokenslot.strip(jsonbody.decode(body, limits))


def _decode_xml(body: bytes, shape: Shape, limits: BodyLimits) -> Fields:
    return tokenslot.strip(xmlbody.decode(body, shape, limits))


def _names_format(query: bytes) -> bool:
    return any(segment.startswith(b"format=") for segment in query.split(b"&"))
