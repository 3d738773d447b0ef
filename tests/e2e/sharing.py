"""Several gateways over one server that they share, each a process of its own, since only a process can be
killed. The platform is not: it lives on, and knows what it executed."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.caller import Caller
from tests.e2e.conftest import ENVIRON, Platform, settings_for
from tests.e2e.process import Running, serving
from tests.e2e.waiting import until
from tests.valkey import Server

SHARED: Mapping[str, Any] = {
    "cache": {"enabled": True, "store": "redis"},
    "dedup": {"enabled": True, "store": "redis"},
    "methods": {"profiles/get": {"ttl": "60s"}, "databases/get": {"ttl": "60s"}},
}


@dataclass
class Fleet:
    """Gateways by name, to be ended and started again."""

    directory: Path
    settings: Mapping[str, Any]
    stack: ExitStack
    running: dict[str, Running] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: ENVIRON)

    def start(self, name: str) -> Caller:
        """Returns when it shares with the others."""
        folder = self.directory / name
        folder.mkdir(exist_ok=True)
        gateway = self.running[name] = self.stack.enter_context(serving(folder, self.settings, self.environ))
        until(lambda: is_sharing(gateway.caller), "it shares")
        return gateway.caller

    def kill(self, name: str) -> None:
        self.running[name].stop(signal.SIGKILL)

    def __getitem__(self, name: str) -> Caller:
        return self.running[name].caller


def is_sharing(caller: Caller) -> bool:
    """As readiness tells it, which is 200 either way."""
    said = caller.get("/readyz?verbose")
    assert said.status == 200
    return b"calls go on without it" not in said.body


def fleet_over(
    server: Server, platform: Platform, directory: Path, stack: ExitStack, **sections: Any
) -> Fleet:
    # Nothing is to be given up because the machine is busy, where that is not what is tested.
    redis = {"url": server.url, "timeout": "20s", **sections.pop("redis", {})}
    settings = settings_for(platform.base_url, **{**SHARED, "redis": redis, **sections})
    return Fleet(directory, settings, stack)
