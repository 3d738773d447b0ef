"""The control plane: how the gateway is, for probes, Prometheus and people. A Starlette application.

Nobody's call passes here, so it may be comfortable where the data plane has to be quick. It shows states and
numbers, never a token.
"""

from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.codec import envelope
from gateway.codec.negotiation import Format
from gateway.control.actions import Actions, action_routes
from gateway.control.readiness import Check
from gateway.errors import CallError

Scrape = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Gives the metrics page and its content type for an `Accept` header."""


def control_application(
    scrape: Scrape,
    checks: Callable[[], tuple[Check, ...]],
    actions: Actions,
    pages: Sequence[Route] = (),
) -> ASGIApp:
    """`checks` is asked anew for every probe. `pages` are the status page's (see `status_routes`)."""

    async def alive(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(request: Request) -> Response:
        found = checks()
        passed = all(check.passed for check in found if check.required)
        status = 200 if passed else 503
        if "verbose" in request.query_params:
            report = {check.name: {"ok": check.passed, "detail": check.detail} for check in found}
            return JSONResponse({"ready": passed, "checks": report}, status)
        return PlainTextResponse("ready\n" if passed else "not ready; ?verbose says why\n", status)

    async def metrics(request: Request) -> Response:
        page, content_type = await scrape(request.headers.get("accept", ""))
        return Response(page, media_type=None, headers={"content-type": content_type})

    return _SafeHeaders(
        Starlette(
            routes=[
                Route("/livez", alive),
                Route("/healthz", alive),
                Route("/readyz", ready),
                Route("/metrics", metrics),
                *pages,
                *action_routes(actions),
            ],
            exception_handlers={HTTPException: _refused, CallError: _own_error},
        )
    )


_REFUSALS = {404: (404, "no endpoint of the gateway; its own page is at /-/"), 405: (400, "ask with")}


async def _refused(_: Request, error: Exception) -> Response:
    """In the platform's shape, as everything that is refused here."""
    assert isinstance(error, HTTPException)
    code, text = _REFUSALS.get(error.status_code, (400, error.detail))
    if allowed := (error.headers or {}).get("Allow"):
        text = f"{text} {allowed}"
    body = {"error": code, "error_text": f"gateway: {text}"}
    return JSONResponse(body, error.status_code, error.headers)


async def _own_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, CallError)
    return Response(
        envelope.own_error(Format.JSON, error.kind.code, error.text),
        error.kind.status,
        {**error.headers, "proxy-status": f"gateway; error={error.kind.proxy_status}"},
        Format.JSON.content_type,
    )


class _SafeHeaders:
    """Tells browsers to take nothing here for a script or an image of another page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        await self._app(scope, receive, guarded)
