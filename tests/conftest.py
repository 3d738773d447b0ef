"""Fixtures that every test may use."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The gateway runs on asyncio only (uvloop in service); trio is not promised."""
    return "asyncio"
