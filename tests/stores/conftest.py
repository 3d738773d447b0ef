"""The backends that every contract here runs on. A new one is added to `backend`."""

from collections.abc import Callable

import pytest

from gateway.stores.cache import CacheStore
from tests.stores.backends import Backend, memory


@pytest.fixture(params=[pytest.param(memory, id="memory")])
def backend(request: pytest.FixtureRequest) -> Backend:
    make: Callable[[], Backend] = request.param
    return make()


@pytest.fixture
def store(backend: Backend) -> CacheStore:
    return backend.store
