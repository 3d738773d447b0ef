"""Fixtures that every test may use."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.builders import OFFLOAD

# An example that takes long is no failure: how long it takes says how busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def anyio_backend() -> str:
    """The gateway runs on asyncio only (uvloop in service); trio is not promised."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_beside() -> Iterator[None]:
    """The process for large bodies is ended with the tests that used it."""
    yield
    OFFLOAD.close()
