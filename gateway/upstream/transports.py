"""The one place that knows which transports there are: `upstream.transport: builtin | httpx`."""

from typing import Literal

from gateway.upstream.builtin.transport import BuiltinTransport
from gateway.upstream.httpx_transport import HttpxTransport
from gateway.upstream.options import TransportOptions

TransportName = Literal["builtin", "httpx"]
Transport = BuiltinTransport | HttpxTransport


def build(name: TransportName, options: TransportOptions) -> Transport:
    """A transport that obeys `options`. Both kinds understand the same extensions of a request."""
    match name:
        case "builtin":
            return BuiltinTransport(options)
        case "httpx":
            return HttpxTransport(options)
