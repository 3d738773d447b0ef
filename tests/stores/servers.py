"""The servers of stores that several gateways share, as parameters: each names its fixture."""

import pytest

SHARED = [
    pytest.param("valkey_server", id="valkey"),
    pytest.param("redis_server", id="redis", marks=pytest.mark.full),
]
