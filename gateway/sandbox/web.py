"""The sandbox as an ASGI application: paths, bodies, and answers that are not always HTTP.

Resets and broken answers need the connection itself; `wire` puts it into the scope. Behind any other server,
or in process without one, such a fault is an error of the test.
"""

import asyncio
import gzip
import re
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.sandbox import control, wire
from gateway.sandbox.calls import Incoming
from gateway.sandbox.codes import ApiError, Code
from gateway.sandbox.families.tasks import DOWNLOADS
from gateway.sandbox.replies import Answer, Outcome, Raw, Reply, Reset, failure
from gateway.sandbox.sandbox import Sandbox

# Any prefix before /api, as some hosts have one; doubled and trailing slashes, as public clients send them.
_CALL = re.compile("(?:/.*)?/+api/+v1[.]1/+(?P<api_method>.*?)/*")

_WORTH_PACKING = 20  # bytes; nginx' gzip_min_length


def application(sandbox: Sandbox) -> ASGIApp:
    """The ASGI application in front of `sandbox`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the sandbox speaks HTTP only, not {scope['type']}")
        body = await _body(receive)
        if body is None:
            return
        try:
            outcome = await _outcome(sandbox, scope, body)
        except asyncio.CancelledError:
            # Only a server that stops does this, and its connections are gone: there is nobody to tell.
            return
        await _deliver(outcome, scope, receive, send)

    return app


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when the caller left before it was sent."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _outcome(sandbox: Sandbox, scope: Scope, body: bytes) -> Outcome:
    path, http_method = scope["path"], scope["method"]
    if path.startswith(control.PREFIX):
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        return control.control(sandbox, http_method, path, query, body)
    if DOWNLOADS in path:
        return _download(sandbox, scope, path[path.index(DOWNLOADS) :])
    called = _CALL.fullmatch(path)
    if called is None:
        return _failure(404, ApiError(Code.NOT_FOUND, "not a path of the API"))
    if http_method != "POST":
        # Every method of API v1.1 is POST, reads included.
        answer = _failure(405, ApiError(Code.INCORRECT_REQUEST, "only POST"))
        return Answer(answer.status, (*answer.headers, ("allow", "POST")), answer.body)
    return await sandbox.call(_incoming(scope, re.sub("/+", "/", called["api_method"]), body))


def _download(sandbox: Sandbox, scope: Scope, path: str) -> Answer:
    if scope["method"] != "GET":
        return _failure(405, ApiError(Code.INCORRECT_REQUEST, "only GET"))
    return sandbox.download(path, _incoming(scope, "", b""))


def _incoming(scope: Scope, api_method: str, body: bytes) -> Incoming:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    query_string: bytes = scope["query_string"]
    host = next((value for name, value in headers if name == "host"), "localhost")
    return Incoming(
        api_method=api_method,
        target=scope.get("raw_path", scope["path"].encode()) + b"?" + query_string,
        query=tuple(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)),
        headers=headers,
        body=body,
        origin=f"{scope['scheme']}://{host}",
    )


def _failure(status: int, error: ApiError) -> Answer:
    return Reply(failure(error), status=status).answer()


async def _deliver(outcome: Outcome, scope: Scope, receive: Receive, send: Send) -> None:
    match outcome:
        case Answer():
            await _send(_packed(outcome, scope), send)
        case Raw(data):
            await wire.write_and_close(scope, receive, data)
        case Reset():
            await wire.reset(scope, receive)


def _packed(answer: Answer, scope: Scope) -> Answer:
    """As a front server does: compressed where the caller takes gzip, unless that would not pay."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding").lower()
    codings = {coding.partition(b";")[0].strip() for coding in accepted.split(b",")}
    is_packed = any(name == "content-encoding" for name, _ in answer.headers)
    if b"gzip" not in codings or is_packed or len(answer.body) < _WORTH_PACKING:
        return answer
    headers = (*answer.headers, ("content-encoding", "gzip"))
    return Answer(answer.status, headers, gzip.compress(answer.body, mtime=0))


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
