"""What a connection talks to: sends each request to the plane that it belongs to, after the same checks at
the door.

Refuses everything that is neither a call, a download nor an endpoint, in the platform's shape, so that an
application that calls a wrong address reads an error that it understands.
"""

import logging
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import errors, guard, headers
from gateway.account import Account
from gateway.call import Answer
from gateway.catalogue.model import DEFAULT_TOKEN
from gateway.codec.negotiation import Format
from gateway.dataplane import DataPlane
from gateway.downloads import Downloads
from gateway.head import CommonFields
from gateway.headers import Headers
from gateway.known_heads import KnownHeads

log = logging.getLogger(__name__)

_PROBES = frozenset((b"/livez", b"/readyz", b"/healthz", b"/metrics"))


@dataclass(frozen=True, slots=True)
class DownloadRoute:
    """Where the downloads of an account are reached, and who serves them."""

    prefix: bytes
    account: Account
    downloads: Downloads


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """What one connection, or all of them, may take. Times in seconds."""

    connections: int
    header_bytes: int  # of a request's target and header fields, trailers included
    headers: int  # fields
    head_timeout: float
    body_timeout: float  # for all of a request's body, or for taking more of an answer
    caller_header: bytes  # lower case
    idle_timeout: float = 75.0
    """Longer than callers keep theirs: whoever closes first must not be the one who is just being called."""


class Listener:
    """Calls are served as exchanges, everything else as by an ASGI application."""

    def __init__(
        self,
        calls: DataPlane,
        control: ASGIApp,
        downloads: tuple[DownloadRoute, ...],
        limits: ListenerLimits,
    ) -> None:
        self.serve = calls.serve
        self.serve_at_once = calls.serve_at_once
        self.common_fields = CommonFields()
        self._calls = calls
        self.apply(downloads, limits)
        self._control = control

    def apply(self, downloads: tuple[DownloadRoute, ...], limits: ListenerLimits) -> None:
        """Those of another configuration; `limits` for requests that come from now on."""
        self.downloads = downloads
        self.limits = limits
        self.heads = KnownHeads(self._calls.admit, limits.header_bytes)

    def is_call(self, path: bytes) -> bool:
        return self._calls.rules.router.account(path) is not None and not _is_control(path)

    def refusal(self, error: errors.CallError) -> Answer:
        """What is told where no request could be read."""
        pipeline = self._calls.rules.pipeline
        return pipeline.presentation.of_error(error, pipeline.intake.default_format or Format.JSON)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"not served here: {scope['type']}")
        path: bytes = scope["raw_path"]
        found = headers.pick(scope["headers"])
        try:
            server = scope["server"]
            guard.check(found, server[0] if server else None, self._calls.rules.allowed_hosts)
            await self._elsewhere(path, scope, receive, send)
        except errors.CallError as error:
            shown = path[:200].decode("latin-1")
            log.warning("%s %s: %d, %s", scope["method"], shown, error.kind.status, error.text)
            await _refuse(send, self._refusal(error, found, scope))

    async def _elsewhere(self, path: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_control(path):
            await self._control(scope, receive, send)
            return
        for route in self.downloads:
            if path.startswith(route.prefix + b"/"):
                with self._calls.rules.users:
                    await _download(route, path, scope, receive, send)
                return
        text = "neither a call nor an endpoint of the gateway; its own page is at /-/"
        raise errors.CallError(errors.NOT_FOUND, text)

    def _refusal(self, error: errors.CallError, found: Headers, scope: Scope) -> Answer:
        pipeline = self._calls.rules.pipeline
        return pipeline.presentation.of_error(
            error, pipeline.intake.reply_format(found, scope["query_string"])
        )


def _is_control(path: bytes) -> bool:
    return path in _PROBES or path.startswith(b"/-/")


async def _download(route: DownloadRoute, path: bytes, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] != "GET":
        raise errors.CallError(errors.HTTP_METHOD_REFUSED, "downloads are fetched with GET", {"Allow": "GET"})
    token = route.account.named_token(DEFAULT_TOKEN)
    replacement = partial(route.account.replacement, DEFAULT_TOKEN)
    await route.downloads.serve(scope, path[len(route.prefix) :], token, replacement, receive, send)


async def _refuse(send: Send, answer: Answer) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", answer.content_type),
                (b"content-length", b"%d" % len(answer.body)),
                *answer.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
