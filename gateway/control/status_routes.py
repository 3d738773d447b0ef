"""Where the status page, its data and its files are served. Read only, for whoever reaches the listener."""

from collections.abc import Callable
from importlib.resources import files

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.control.page import CONTENT_SECURITY_POLICY, page
from gateway.control.status import Status
from gateway.control.view import View

_FILES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_HEADERS = {"content-security-policy": CONTENT_SECURITY_POLICY, "referrer-policy": "no-referrer"}

Report = Callable[[str], Status]
"""Gives the status for the name of a window."""


def status_routes(report: Report, mask: Callable[[bytes], bytes]) -> list[Route]:
    """`mask` gives back what it is given, without tokens: a last look, though none should be there."""

    async def shown(request: Request) -> Response:
        view = View.of(request.query_params)
        content = mask(await page(report(view.window), view))
        return Response(content, headers=_HEADERS, media_type="text/html")

    async def data(request: Request) -> Response:
        view = View.of(request.query_params)
        content = mask(msgspec.json.encode(report(view.window)))
        return Response(content, media_type="application/json")

    return [
        Route("/-/", shown),
        Route("/-/status.json", data),
        *(_file(name, media_type) for name, media_type in _FILES.items()),
    ]


def _file(name: str, media_type: str) -> Route:
    content = (files("gateway.control") / "static" / name).read_bytes()

    async def serve(_: Request) -> Response:
        return Response(content, headers={"content-type": media_type})

    return Route(f"/-/static/{name}", serve)
