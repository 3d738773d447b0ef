"""Servers that a test may break: each test has one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import valkey
from tests.valkey import Server

PROGRAMS = [
    pytest.param(valkey.valkey, id="valkey"),
    pytest.param(valkey.debian_redis, id="redis", marks=pytest.mark.full),
]


@pytest.fixture(params=PROGRAMS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with valkey.running(request.param(), tmp_path) as running:
        yield running
