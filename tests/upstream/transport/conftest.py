"""Every test here runs on asyncio's loop and on uvloop; those that take `kind`, against both transports."""

from typing import Any

import pytest

from gateway.upstream.transports import TransportName


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(params=["builtin", "httpx"])
def kind(request: pytest.FixtureRequest) -> TransportName:
    name: TransportName = request.param
    return name
