"""A sandbox with a clock that the test moves, asked without a socket."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.sandbox.calls import Incoming
from gateway.sandbox.replies import Answer
from gateway.sandbox.sandbox import Sandbox


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    return Sandbox(clock=clock)


@pytest.fixture
def ask(sandbox: Sandbox) -> Callable[..., Any]:
    """`ask("profiles/get", db_id=1, ...)`: the reply of one call with the full token, decoded."""

    def asked(api_method: str, token: str = "sandbox", **params: Any) -> Any:
        incoming = Incoming(
            api_method=api_method,
            target=f"/api/v1.1/{api_method}".encode(),
            query=(),
            headers=(("content-type", "application/json"),),
            body=json.dumps({"token": token, **params}).encode(),
            origin="http://sandbox.test",
        )
        answer = asyncio.run(sandbox.call(incoming))
        assert isinstance(answer, Answer)
        return json.loads(answer.body)

    return asked
