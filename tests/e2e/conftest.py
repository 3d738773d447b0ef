"""A stand-in platform and a gateway in front of it, both on loopback sockets, both stopped after the test.

`caller` calls a gateway with nothing but its base URL and token set; `gateway_with` makes one with other
settings. After each test it is checked that the gateway has nothing left to do.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.catalogue import loading
from gateway.catalogue.model import Catalogue
from gateway.sandbox.sandbox import Options, Sandbox
from gateway.sandbox.serving import running_in_thread
from gateway.sandbox.tokens import sample_tokens
from tests.e2e.caller import Caller
from tests.e2e.clock import Clock
from tests.e2e.inthread import RunningGateway, running_gateway

TOKEN = "full-rights-Zm9v-1234567890"
ENVIRON: Mapping[str, str] = {
    "TOKEN": TOKEN,
    "READER_TOKEN": "sandbox-reader",
    "PARTNER_TOKEN": "sandbox-partner",
    "STRANGER_TOKEN": "nobody-knows-this-one",
}

GatewayWith = Callable[..., Caller]


@dataclass(frozen=True)
class Platform:
    """The stand-in and where it is."""

    sandbox: Sandbox
    base_url: str

    @property
    def direct(self) -> Caller:
        """A caller that goes past the gateway."""
        return Caller(self.base_url.removesuffix("/api/v1.1"))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return loading.load()


@pytest.fixture(scope="session")
def shared_platform() -> Iterator[Platform]:
    sandbox = Sandbox(sample_tokens(TOKEN), Options(task_seconds=0.05))
    with running_in_thread(sandbox) as base_url:
        yield Platform(sandbox, base_url)


@pytest.fixture(scope="session")
def _usual_gateway(shared_platform: Platform, catalogue: Catalogue) -> Iterator[RunningGateway]:
    with running_gateway(settings_for(shared_platform.base_url), ENVIRON, catalogue) as gateway:
        yield gateway


@pytest.fixture
def platform(shared_platform: Platform) -> Platform:
    """The stand-in with its sample data, no faults and no calls yet."""
    shared_platform.sandbox.reset()
    return shared_platform


@pytest.fixture
def sandbox(platform: Platform) -> Sandbox:
    return platform.sandbox


@pytest.fixture
def caller(platform: Platform, _usual_gateway: RunningGateway) -> Iterator[Caller]:
    """Calls the usual gateway. It is shared by the tests: count changes, not totals."""
    yield _usual_gateway.caller
    platform.sandbox.faults.clear()
    _usual_gateway.assert_idle()


@pytest.fixture
def gateway_with(platform: Platform, catalogue: Catalogue) -> Iterator[GatewayWith]:
    """Makes a gateway of the test's own: `gateway_with(section={...}, ...)`, over the usual settings. With a
    `clock` it goes by that one."""
    with ExitStack() as stack:
        gateways: list[RunningGateway] = []

        def make(
            environ: Mapping[str, str] = ENVIRON, /, clock: Clock | None = None, **sections: Any
        ) -> Caller:
            settings = settings_for(platform.base_url, **sections)
            gateways.append(stack.enter_context(running_gateway(settings, environ, catalogue, clock)))
            return gateways[-1].caller

        yield make
        platform.sandbox.faults.clear()
        for gateway in gateways:
            gateway.assert_idle()


def settings_for(base_url: str, **sections: Any) -> dict[str, Any]:
    """The content of a config.yaml: any free port, that platform, the token from `TOKEN`.

    Nothing is kept of reads, writes are not deduplicated, nothing is tried twice and no breaker opens: these
    tests look at what one call does to the platform. What is left out here has tests of its own.
    """
    usual = {
        "listen": {"port": 0},
        "token": {"env": "TOKEN"},
        "cache": {"enabled": False},
        "dedup": {"enabled": False},
    }
    calm = {"retries": {"attempts": 1}, "breaker": {"min_calls": 1_000_000}}
    upstream = {"base_url": base_url, **calm, **sections.pop("upstream", {})}
    return {**usual, "upstream": upstream, **sections}
