"""What an operator may have the gateway do: reload, purge, explain. Each answers in JSON."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway import body, errors, headers
from gateway.control import purging
from gateway.control.peers import require_local
from gateway.control.purging import Purge
from gateway.errors import SettingsError
from gateway.exchange import CallerGone
from gateway.headers import Headers

EXPLAIN = "/-/explain/"
LARGEST_WISH = 16 * 1024
LARGEST_EXAMPLE = 1024 * 1024
UNUSABLE = 450
"""The platform's code for what cannot be processed, as with 422 elsewhere."""
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Actions:
    """Who does it. Each may raise CallError."""

    reload: Callable[[], Awaitable[bool]]  # whether the configuration changed; raises SettingsError
    purge: Callable[[Purge], Awaitable[int]]  # how many replies went
    explain: Callable[[bytes, bytes, Headers, bytes], Awaitable[bytes]]  # method, query, headers, body


def action_routes(actions: Actions) -> list[Route]:
    async def reload(_: Request) -> Response:
        try:
            changed = await actions.reload()
        except SettingsError as error:
            return _problems(error)
        return JSONResponse({"error": 0, "changed": changed})

    async def purge(request: Request) -> Response:
        wish = purging.parse(await _content(request, LARGEST_WISH))
        return JSONResponse({"error": 0, "purged": await actions.purge(wish)})

    async def explain(request: Request) -> Response:
        # The raw path, as for calls: there an encoded slash is refused, not decoded.
        method = request.scope["raw_path"][len(EXPLAIN) :]
        found = headers.pick(request.scope["headers"])
        example = await _content(request, LARGEST_EXAMPLE)
        report = await actions.explain(method, request.scope["query_string"], found, example)
        return Response(report, media_type="application/json")

    return [
        Route("/-/reload", _local(reload), methods=["POST"]),
        Route("/-/cache/purge", _local(purge), methods=["POST"]),
        Route(EXPLAIN + "{method:path}", _local(explain), methods=["POST"]),
    ]


def _local(endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        require_local(request.client.host if request.client else None)
        return await endpoint(request)

    return guarded


def _problems(error: SettingsError) -> Response:
    listed = [
        {"place": problem.place, "key": problem.key, "text": problem.text} for problem in error.problems
    ]
    content = {"error": UNUSABLE, "error_text": f"gateway: {error}", "problems": listed}
    return JSONResponse(content, 422)


async def _content(request: Request, limit: int) -> bytes:
    try:
        return await body.read(request.receive, headers.pick(request.scope["headers"]), limit)
    except CallerGone as gone:
        raise errors.CallError(errors.BAD_REQUEST, "the body did not arrive whole") from gone
