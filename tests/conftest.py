"""Fixtures that every test may use."""

import pytest
from hypothesis import settings

# An example that takes long is no failure: how long it takes says how busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def anyio_backend() -> str:
    """The gateway runs on asyncio only (uvloop in service); trio is not promised."""
    return "asyncio"
