"""The backends that every contract here runs on. A new one is added to `backend`."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.stores.cache import CacheStore
from tests import valkey
from tests.stores.backends import Backend, memory, redis_cache
from tests.stores.servers import SHARED
from tests.valkey import Server


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey.running(valkey.valkey(), tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey.running(valkey.debian_redis(), tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=[pytest.param("memory", id="memory"), *SHARED])
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    if request.param == "memory":
        yield memory()
        return
    async with redis_cache(request.getfixturevalue(request.param)) as shared:
        yield shared


@pytest.fixture
def store(backend: Backend) -> CacheStore:
    return backend.store
