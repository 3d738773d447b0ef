"""gateway.control.application: probes and metrics, as an ASGI application."""

from typing import NoReturn

import httpx
import pytest

from gateway.control.actions import Actions
from gateway.control.application import control_application
from gateway.control.readiness import Check

pytestmark = pytest.mark.anyio


async def get(path: str, *checks: Check, accept: str = "") -> httpx.Response:
    async def scrape(wanted: str) -> tuple[bytes, str]:
        return b"metric 1\n", f"text/plain; asked={wanted or 'nothing'}"

    async def never(*_: object) -> NoReturn:
        raise AssertionError("nobody asked for this")

    app = control_application(scrape, lambda: checks, Actions(never, never, never))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path, headers={"accept": accept})


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
async def test_it_lives_whatever_the_checks_say(path: str) -> None:
    assert (await get(path, Check("token", False, "missing"))).status_code == 200


async def test_ready_is_503_when_a_required_check_fails_and_verbose_says_which() -> None:
    broken = Check("token", False, "file /run/token: there is no token")
    assert (await get("/readyz", broken)).status_code == 503
    verbose = await get("/readyz?verbose", broken, Check("store", True, "memory"))
    assert verbose.status_code == 503
    assert verbose.json() == {
        "ready": False,
        "checks": {
            "token": {"ok": False, "detail": "file /run/token: there is no token"},
            "store": {"ok": True, "detail": "memory"},
        },
    }


async def test_a_check_that_is_not_required_is_told_and_does_not_decide() -> None:
    assert (await get("/readyz", Check("redis", False, "away", required=False))).status_code == 200


async def test_metrics_come_in_the_format_that_was_asked_for() -> None:
    page = await get("/metrics", accept="application/openmetrics-text")
    assert page.content == b"metric 1\n"
    assert page.headers["content-type"] == "text/plain; asked=application/openmetrics-text"


async def test_browsers_are_told_to_take_nothing_here_for_something_else() -> None:
    answer = await get("/livez")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
