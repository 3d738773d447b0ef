"""gateway.control.actions: who may ask, and how each action answers, as part of the ASGI application."""

import httpx
import pytest
from starlette.types import ASGIApp

from gateway import errors
from gateway.control.actions import Actions
from gateway.control.application import control_application
from gateway.control.purging import Purge
from gateway.errors import CallError, Problem, SettingsError
from gateway.headers import Headers

pytestmark = pytest.mark.anyio

ACTIONS = ["/-/reload", "/-/cache/purge", "/-/explain/profiles/get"]


class Operator:
    """Does what it is told, and remembers what that was."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.examples: list[tuple[bytes, bytes, Headers, bytes]] = []
        self.problems: tuple[Problem, ...] = ()

    async def reload(self) -> bool:
        self.done.append("reload")
        if self.problems:
            raise SettingsError(self.problems)
        return True

    async def purge(self, wish: Purge) -> int:
        self.done.append(wish)
        return 3

    async def explain(self, method: bytes, query: bytes, headers: Headers, body: bytes) -> bytes:
        self.done.append("explain")
        self.examples.append((method, query, headers, body))
        if not body:
            raise CallError(errors.OVERLOADED, "too much", {"Retry-After": "5"})
        return b'{"method": "it"}'

    def application(self) -> ASGIApp:
        async def scrape(_: str) -> tuple[bytes, str]:
            return b"", "text/plain"

        return control_application(scrape, tuple, Actions(self.reload, self.purge, self.explain))


async def post(operator: Operator, path: str, body: bytes, *, peer: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.ASGITransport(operator.application(), client=(peer, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize("path", ACTIONS)
async def test_an_action_from_another_machine_is_refused_and_not_done(path: str) -> None:
    operator = Operator()
    answer = await post(operator, path, b'{"all": true}', peer="10.0.0.7")
    assert (answer.status_code, answer.json()["error"]) == (403, 403)
    assert answer.json()["error_text"].startswith("gateway: ")
    assert answer.headers["proxy-status"] == "gateway; error=http_request_denied"
    assert operator.done == []


async def test_a_reload_tells_whether_anything_changed() -> None:
    answer = await post(Operator(), "/-/reload", b"")
    assert (answer.status_code, answer.json()) == (200, {"error": 0, "changed": True})


async def test_a_refused_reload_tells_every_problem_as_a_list_and_as_text() -> None:
    operator = Operator()
    operator.problems = (Problem("config.yaml:2", "log.level", "no"), Problem("environment", "a", "never"))
    answer = await post(operator, "/-/reload", b"")
    assert answer.status_code == 422
    assert answer.json() == {
        "error": 450,
        "error_text": "gateway: config.yaml:2 log.level: no; environment a: never",
        "problems": [
            {"place": "config.yaml:2", "key": "log.level", "text": "no"},
            {"place": "environment", "key": "a", "text": "never"},
        ],
    }


async def test_a_purge_is_told_the_wish_and_tells_how_many() -> None:
    operator = Operator()
    answer = await post(operator, "/-/cache/purge", b'{"tag": "db:7"}')
    assert answer.json() == {"error": 0, "purged": 3}
    assert operator.done == [Purge(tag="db:7")]


async def test_explain_gets_the_call_as_it_came() -> None:
    operator = Operator()
    answer = await post(operator, "/-/explain/profiles%2fget?sync=1", b"{}")
    assert (answer.headers["content-type"], answer.content) == ("application/json", b'{"method": "it"}')
    ((method, query, headers, body),) = operator.examples
    assert (method, query, body) == (b"profiles%2fget", b"sync=1", b"{}")
    assert headers[b"content-type"] == b"application/json"


async def test_a_refusal_keeps_its_headers() -> None:
    answer = await post(Operator(), "/-/explain/profiles/get", b"")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json() == {"error": 503, "error_text": "gateway: too much"}
